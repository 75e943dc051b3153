"""Reading request bodies no further than they may go."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs

from fastapi import Request

from app.web.problems import Problem

FORM_LIMIT = 8 * 1024
BODY_SECONDS = 10.0  # for a body to come; a portal sends its few hundred bytes at once


async def limited_body(request: Request, limit: int) -> bytes:
    """The body, or 413 as soon as it is known to be longer than `limit` bytes.

    A declared length is believed only when it is too long: chunked bodies have none.
    """
    declared = request.headers.get("content-length", "")
    if declared.isascii() and declared.isdigit() and int(declared[:20]) > limit:
        raise _too_long(limit)
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await _read(request, limit)
    except TimeoutError:
        raise Problem(408, "Тело запроса идёт слишком медленно.") from None


async def _read(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _too_long(limit)
    return bytes(body)


def _too_long(limit: int) -> Problem:
    # Not `Connection: close`: with unread data it becomes a reset, and the sender never sees this answer.
    return Problem(413, f"Тело запроса больше {limit // 1024} КиБ.")


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of one of our own small forms; the first value of each wins."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Problem(415, "Ожидались поля обычной формы.")
    body = await limited_body(request, FORM_LIMIT)
    try:
        fields = parse_qs(body.decode("utf-8"), keep_blank_values=True, max_num_fields=20, errors="strict")
    except ValueError as error:
        raise Problem(400, "Поля формы не прочитаны.") from error
    return {name: values[0] for name, values in fields.items()}
