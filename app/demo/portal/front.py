"""The HTTP side: addresses, encodings, credentials, envelope, the network's faults (rest.md 1.1-1.4)."""

import json
from asyncio import sleep
from collections.abc import Callable
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Protocol

import httpx
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from . import batch, cards, errors, rest3
from .calls import Calls, Credential
from .errors import RestError
from .php import parse_query, php_json, put
from .registry import mapping
from .rest3 import Rest3
from .spec import named_methods
from .world import Record, World
from .xmlanswer import xml_of

_HTML = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>nginx</body></html>"


class Desk(Protocol):
    """What the front needs of the portal."""

    rest: Calls
    rest3: Rest3
    requests: int
    moved_to: str | None
    webhooks: dict[str, Credential]
    world: World


class Front:
    """The ASGI application of a portal."""

    def __init__(self, portal: Desk) -> None:
        self._portal = portal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        request = Request(scope, receive)
        response = await self._respond(request)
        if request.url.path.rstrip("/").endswith(".xml"):
            response = _as_xml(response)
        await response(scope, receive, send)

    async def _respond(self, request: Request) -> Response:
        portal = self._portal
        if request.url.path.rstrip("/") == "/oauth/token":
            return await self._token(request)
        portal.requests += 1
        if portal.rest.faults.down:
            return await _broken(request, "down", portal.rest)
        if portal.moved_to and request.url.netloc not in portal.moved_to:
            target = portal.moved_to.rstrip("/") + request.url.path
            return RedirectResponse(target + (f"?{request.url.query}" if request.url.query else ""), 302)
        address = _address(request.url.path)
        if address is None:
            return _card(request, portal.rest)
        params = await _body_of_3(request) if _is_3(request) else await _params(request)
        return await self._answer(request, params, *address)

    async def _token(self, request: Request) -> Response:
        """The OAuth server is another machine: neither the portal's faults nor its limits are its own."""
        oauth = self._portal.world.oauth
        if oauth.broken:
            return Response(_HTML.format("502 Bad Gateway"), 502, media_type="text/html")
        status, body = oauth.answer(await _params(request))
        return Response(json.dumps(body), status, media_type="application/json; charset=utf-8")

    async def _answer(self, request: Request, params: Record, uid: str, secret: str, method: str) -> Response:
        calls = self._portal.rest
        fault = calls.faults.transport(_named(method, params))
        client = request.client.host if request.client else "?"
        if fault == "limit" or not calls.bucket.admits(client, calls.seconds_now()):
            calls.refused["QUERY_LIMIT_EXCEEDED"] += 1
            return _refusal(rest3.too_many() if _is_3(request) else errors.too_many_requests())
        if fault and fault != "timeout_after_apply":
            return await _broken(request, fault, calls)
        response = self._serve(request, params, uid, secret, method)
        return await _broken(request, "hang", calls) if fault else response

    def _serve(self, request: Request, params: Record, uid: str, secret: str, method: str) -> Response:
        """Run the request as one hit: its events leave together."""
        try:
            who = self._credential(request, params, uid, secret)
        except RestError as refusal:
            self._portal.rest.refused[str(refusal.code)] += 1
            return _refusal(refusal)
        with self._portal.rest.world.events.hit(who.cause):
            if _is_3(request):
                return self._third(request, method, params, who)
            if method.lower() == "batch":
                return self._batch(params, who)
            return self._single(method, params, who)

    def _third(self, request: Request, method: str, params: Record, who: Credential) -> Response:
        told = self._portal.rest3.answer(method, params, who, request.headers.get("idempotency-key"))
        response = _json(told.body, told.status)
        if told.replayed:
            response.headers["Idempotent-Replayed"] = "true"
        return response

    def _credential(self, request: Request, params: Record, uid: str, secret: str) -> Credential:
        calls = self._portal.rest
        if secret:
            who = self._portal.webhooks.get(secret)
            if who is None or str(who.user) != uid:
                raise errors.bad_credentials(calls.world.profile)
            return who
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        given = [str(params.pop(name, "") or "") for name in ("auth", "access_token")]
        return _by_token(calls.world, next(filter(None, [*given, bearer]), ""), params)

    def _batch(self, params: Record, who: Credential) -> Response:
        calls = self._portal.rest
        calls.counted["batch"] += 1
        answer, seconds = batch.run(calls, params, who)
        return _json({"result": answer, "time": calls.time(seconds, (who.key, "batch"))})

    def _single(self, method: str, params: Record, who: Credential) -> Response:
        outcome = self._portal.rest.run(method, params, who)
        if outcome.error:
            return _refusal(outcome.error)
        assert outcome.page is not None
        body: Record = {"result": outcome.page.result}
        body |= {} if outcome.page.next is None else {"next": outcome.page.next}
        body |= {} if outcome.page.total is None else {"total": outcome.page.total}
        return _json(body | {"time": outcome.time})


def _by_token(world: World, token: str, params: Record) -> Credential:
    """The application and the person that a token stands for. Raises RestError."""
    if not token:
        raise errors.no_auth()
    grant = world.oauth.who(token)
    application, user = world.applications[grant.client_id], world.users.get(grant.user)
    if user is None or not user.active:
        raise RestError("authorization_error", "Unable to authorize user", 401)
    connector = str(params.pop("auth_connector", "") or "")
    if connector and world.features.get("rest_auth_connector") != "Y":
        raise errors.no_license("auth_connector")
    key = f"application {application.id}"
    return Credential(key, grant.user, application.scopes, application, connector, grant.depth)


def _card(request: Request, calls: Calls) -> Response:
    """What is no REST address is a card to look at, or nothing."""
    page = cards.page(calls.world, request.url.path) if request.method in ("GET", "HEAD") else None
    if page is None:
        return PlainTextResponse(_HTML.format("404 Not Found"), 404, media_type="text/html")
    policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return Response(page, headers=policy, media_type="text/html")


def _refusal(error: RestError) -> Response:
    return _json(error.body, error.status)


def _json(body: Record, status: int = 200) -> Response:
    """The envelope itself stays a map; PHP's array encoding rules what is in it."""
    text = json.dumps({key: php_json(value) for key, value in body.items()}, ensure_ascii=False)
    headers = {"Content-Type": "application/json; charset=utf-8", "Access-Control-Allow-Origin": "*"}
    return Response(text.encode(), status, headers)


def _as_xml(answer: Response) -> Response:
    """The envelope of a method as XML; what is no envelope (a redirect, a gateway's page) stays as it is."""
    if not answer.headers.get("content-type", "").startswith("application/json"):
        return answer
    text = xml_of(json.loads(bytes(answer.body)))
    return Response(text.encode(), answer.status_code, {"Content-Type": "text/xml; charset=utf-8"})


def _address(path: str) -> tuple[str, str, str] | None:
    """User, secret, method of `/rest/<uid>/<secret>/<method>[.json][/]`; two empty for `/rest/<method>`."""
    parts = [part for part in path.split("/") if part]
    if not parts or parts[0] != "rest":
        return None
    if parts[1:2] == ["api"]:
        del parts[1]
    method = parts[-1].removesuffix(".json").removesuffix(".xml")
    if len(parts) == 4 and parts[1].isdigit():
        return parts[1], parts[2], method
    return ("", "", method) if len(parts) == 2 else None


def _is_3(request: Request) -> bool:
    return request.url.path.startswith("/rest/api/")


async def _body_of_3(request: Request) -> Record:
    """Version 3 reads JSON and nothing else: no query, no form (rest.md 1.7)."""
    if "json" not in request.headers.get("content-type", "").lower():
        return {}
    try:
        return mapping(json.loads(await request.body() or b"{}"))
    except ValueError:
        return {}


def _named(method: str, params: Record) -> list[str]:
    named = [method.lower()]
    return named + (named_methods(params.get("cmd")) if named == ["batch"] else [])


async def _params(request: Request) -> Record:
    """Query and body merged, the body wins. A broken body is an empty one, not an error (rest.md 1.2)."""
    body = await request.body()
    read = _reader(request.headers.get("content-type", ""))
    try:
        sent = mapping(read(body, request.headers.get("content-type", ""))) if body else {}
    except (ValueError, LookupError):
        sent = {}
    return parse_query(request.url.query) | sent


def _reader(content_type: str) -> Callable[[bytes, str], Any]:
    kind = content_type.lower()
    if "json" in kind:
        return lambda body, _: json.loads(body)
    if kind.startswith("multipart/form-data"):
        return _multipart
    return lambda body, _: parse_query(body.decode("utf-8", "replace"))


def _multipart(body: bytes, content_type: str) -> Record:
    head = f"Content-Type: {content_type}\r\n\r\n".encode()
    tree: Record = {}
    for part in BytesParser(policy=HTTP).parsebytes(head + body).iter_parts():
        name = part.get_param("name", header="content-disposition")
        put(tree, str(name or ""), part.get_content())
    return tree


def _in_process(request: Request) -> bool:
    """httpx's ASGITransport, where the client's own timeouts do not work; a server says its spec version."""
    return "spec_version" not in request.scope.get("asgi", {})


_RAISED = {
    "down": httpx.ConnectError,
    "hang": httpx.ReadTimeout,
    "cut": httpx.ReadTimeout,
    "reset": httpx.ReadError,
}


async def _broken(request: Request, kind: str, calls: Calls) -> Response:
    """What the client sees of a network fault: an exception in process, silence or nonsense over a socket."""
    if kind in _RAISED and _in_process(request):
        raise _RAISED[kind](f"emulated: {kind}")
    if kind in ("hang", "cut"):
        await sleep(calls.faults.hang_for)
    if kind == "reset":
        return Response(b"{", headers={"Content-Length": "4096"})
    status = {"html": 200, "http502": 502, "down": 502}.get(kind, 504)
    title = {200: "Технические работы", 502: "502 Bad Gateway", 504: "504 Gateway Time-out"}[status]
    return Response(_HTML.format(title), status, media_type="text/html")


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
