"""Templates → pages. Everything is escaped; a missing value is an error, not a gap."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

_HERE = Path(__file__).parent
STATIC = _HERE / "static"


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["static"] = static_url
    return environment


@lru_cache(maxsize=16)
def static_url(name: str) -> str:
    """The address of a file in `static/`; it changes with the content, so it may be cached for ever."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]}"


def render(template: str, **context: Any) -> str:
    return _environment().get_template(template).render(context)


def page(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """A page in the desk's frame; `frame` is None for those who have not entered."""
    desk_name = request.app.state.desk.rules.desk.name
    html = render(template, **{"frame": None, "desk_name": desk_name, **context})
    return HTMLResponse(html, status, headers)
