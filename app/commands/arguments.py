"""What is written on the command line, read: a day, a moment, a ticket. Each raises BadParameter."""

from __future__ import annotations

from datetime import date, datetime

import typer

from app.clock import OUT_OF_YEARS, YEARS
from app.model import ItemRef

AS_KNOWN, SENT = "--as-known", "sent"


def date_of(text: str, option: str = "--date") -> date | None:
    """None: none was named."""
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        raise typer.BadParameter(f"{text!r}: ожидается дата вида 2026-11-24", param_hint=option) from None
    _check_year(day, option)
    return day


def moment_of(text: str) -> datetime | None:
    """None: the moment of the sending."""
    try:
        moment = None if text == SENT else datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: ожидается момент вида 2026-11-25T09:05", param_hint=AS_KNOWN
        ) from None
    _check_year(moment, AS_KNOWN)
    return moment


def _check_year(day: date | None, option: str) -> None:
    if day is not None and day.year not in YEARS:
        raise typer.BadParameter(f"{day.isoformat()}: {OUT_OF_YEARS}", param_hint=option)


def ref_of(text: str) -> ItemRef:
    """A ticket by its name."""
    try:
        return ItemRef.parse(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r}: ожидается deal:41, item:177:5 или task:17", param_hint="ОБРАЩЕНИЕ"
        ) from None
