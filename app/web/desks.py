"""How a handler gets at the desk that its application was made for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from app.desk import Desk


async def desk_of(request: Request) -> Desk:
    """Async, though it waits for nothing: FastAPI would run a plain function in a thread."""
    desk = request.app.state.desk
    assert isinstance(desk, Desk)
    return desk


DeskHere = Annotated[Desk, Depends(desk_of)]
