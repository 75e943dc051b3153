"""The description of the API, for programs and for people; nothing of it comes from elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from app.web.access import PageVisitor
from app.web.desks import DeskHere
from app.web.frames import frame_of
from app.web.rendering import page

router = APIRouter(include_in_schema=False)
schema_router = APIRouter(include_in_schema=False)

_PLACES = {"query": "запрос", "path": "адрес", "header": "заголовок"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """What a call takes."""

    name: str
    where: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """One address and method."""

    method: str
    path: str
    summary: str
    text: str
    parameters: tuple[Parameter, ...]


def calls_of(schema: dict[str, Any]) -> list[Call]:
    """An OpenAPI document as lines to read."""
    known = schema.get("components", {}).get("schemas", {})
    return [
        Call(
            method.upper(),
            path,
            operation.get("summary", ""),
            operation.get("description", ""),
            tuple(_parameter(parameter, known) for parameter in operation.get("parameters", ())),
        )
        for path, operations in schema["paths"].items()
        for method, operation in operations.items()
    ]


def _parameter(parameter: dict[str, Any], known: dict[str, Any]) -> Parameter:
    return Parameter(
        parameter["name"],
        _PLACES.get(parameter["in"], parameter["in"]),
        _kind(parameter["schema"], known),
        parameter.get("description", ""),
    )


def _kind(described: dict[str, Any], known: dict[str, Any]) -> str:
    """«integer», «date», or the words to choose from."""
    options = [option for option in described.get("anyOf", [described]) if option.get("type") != "null"]
    one = options[0] if options else {}
    one = known.get(one.get("$ref", "").rpartition("/")[2], one)
    return ", ".join(one["enum"]) if "enum" in one else str(one.get("format") or one.get("type"))


@schema_router.get("/openapi.json")
async def openapi(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi())


@router.get("/docs")
async def docs(request: Request, desk: DeskHere, visitor: PageVisitor) -> Response:
    frame = await frame_of(desk, visitor, here="")
    return page(request, "docs.html", frame=frame, calls=calls_of(request.app.openapi()))
