"""A clock's time as a coloured strip and as a table of its spans. Pure.

Working time is drawn to scale, pauses together at most as wide as what counts; nights and days off
are thin marks of one width, else a weekend would hide the hours that matter.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from zoneinfo import ZoneInfo

from app import words
from app.explained import CountedSpan
from app.model import ExplainedSpan
from app.ticket_view import why_words

WIDTH = 1000.0
THIN = 12.0
THIN_ALTOGETHER = 350.0
"""So much of the strip, at most, for time that does not count."""


class Look(StrEnum):
    """How a piece is drawn; also its class in the style sheet."""

    COUNTED = "counted"
    LATE = "late"
    PAUSE = "pause"
    DONE = "done"
    VOID = "void"
    OFF = "off"


KEY_LABEL = {
    Look.COUNTED: "засчитано",
    Look.LATE: "после срока",
    Look.PAUSE: "пауза",
    Look.DONE: "было решено",
    Look.VOID: "не было обращением",
    Look.OFF: "нерабочее время",
}


RESTS = (Look.PAUSE, Look.DONE, Look.VOID)


@dataclass(frozen=True, slots=True)
class Piece:
    """A rectangle of the strip, in its thousand units."""

    look: Look
    x: str
    width: str
    title: str


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """What a colour means."""

    look: Look
    label: str


@dataclass(frozen=True, slots=True)
class SpanRow:
    """A line of the table."""

    start: str
    end: str
    counted: bool
    minutes: str
    total: str
    why: str


@dataclass(frozen=True, slots=True)
class _Part:
    start: datetime
    end: datetime
    look: Look
    why: str


def span_rows(spans: Sequence[CountedSpan], zone: tzinfo) -> tuple[SpanRow, ...]:
    return tuple(
        SpanRow(
            start=words.moment_short(each.span.start, zone),
            end=_end(each.span, zone),
            counted=each.span.counted,
            minutes=_length(each.length) if each.span.counted else "—",
            total=_length(each.total),
            why=each.text,
        )
        for each in spans
    )


def _length(length: timedelta) -> str:
    return words.duration(length).replace(" ", words.NBSP)


def _end(span: ExplainedSpan, zone: tzinfo) -> str:
    """The day is said once."""
    same_day = span.start.astimezone(zone).date() == span.end.astimezone(zone).date()
    return words.moment_short(span.end, zone, span.start.astimezone(zone).date() if same_day else None)


def pieces_of(spans: Sequence[ExplainedSpan], due_at: datetime | None, zone: ZoneInfo) -> tuple[Piece, ...]:
    """The strip from the start of the clock to its end."""
    parts = [part for span in spans for part in _parts(span, due_at)]
    return tuple(_laid_out(parts, _widths(parts), zone))


def key_of(pieces: Sequence[Piece]) -> tuple[KeyEntry, ...]:
    looks = {piece.look for piece in pieces}
    return tuple(KeyEntry(look, label) for look, label in KEY_LABEL.items() if look in looks)


def _parts(span: ExplainedSpan, due_at: datetime | None) -> Iterator[_Part]:
    """A counted span is cut where the term ended: from there on it is late."""
    if not span.counted:
        yield _Part(span.start, span.end, rest_of(span.why) or Look.OFF, span.why)
        return
    edge = min(max(due_at or span.end, span.start), span.end)
    for start, end, look in ((span.start, edge, Look.COUNTED), (edge, span.end, Look.LATE)):
        if start < end:
            yield _Part(start, end, look, span.why)


def rest_of(why: str) -> Look | None:
    """What a stretch is in which the clock rested by a word of people, not by the calendar."""
    if not why.startswith("pause:"):
        return None
    return {"pause:done": Look.DONE, "pause:void": Look.VOID}.get(why, Look.PAUSE)


def _widths(parts: Sequence[_Part]) -> dict[Look, float]:
    """What a second of each look is wide; of nights and days off, the whole mark."""
    lengths: Counter[Look] = Counter()
    for part in parts:
        lengths[part.look] += int((part.end - part.start).total_seconds())
    nights = sum(part.look is Look.OFF for part in parts)
    counted = lengths[Look.COUNTED] + lengths[Look.LATE]
    rested = sum(lengths[look] for look in RESTS)
    paused = min(rested, counted or rested)
    thin = min(THIN, THIN_ALTOGETHER / max(1, nights))
    scale = (WIDTH - thin * nights) / max(1, counted + paused)
    pause_scale = scale * paused / max(1, rested)
    rests = dict.fromkeys(RESTS, pause_scale)
    return {Look.COUNTED: scale, Look.LATE: scale, Look.OFF: thin, **rests}


def _laid_out(parts: Sequence[_Part], widths: Mapping[Look, float], zone: ZoneInfo) -> Iterator[Piece]:
    x = 0.0
    for part in parts:
        length = 1.0 if part.look is Look.OFF else (part.end - part.start).total_seconds()
        width = length * widths[part.look]
        start, end = words.moment_short(part.start, zone), words.moment_short(part.end, zone)
        title = f"{start} — {end}: {why_words(part.why)}"
        yield Piece(part.look, f"{x:.1f}", f"{width:.1f}", title)
        x += width
