"""What every answer tells the browser: load nothing from elsewhere, run nothing inline."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

# `same-origin`, not `no-referrer`: with the latter browsers send `Origin: null` with our own forms,
# and a post could no longer be told from a stranger's.
_ALWAYS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


class SafeHeaders:
    """Adds the headers above; figures of clients are never kept by a cache."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self.app = app
        strict = {"Strict-Transport-Security": "max-age=31536000"} if https else {}
        wanted = {**_ALWAYS, **strict, "Cache-Control": "no-store"}
        self.always = [(name.lower().encode(), value.encode()) for name, value in wanted.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = {name for name, _ in message["headers"]}
                missing = [pair for pair in self.always if pair[0] not in told]
                message["headers"] = [*message["headers"], *missing]
            await send(message)

        await self.app(scope, receive, send_with_headers)
