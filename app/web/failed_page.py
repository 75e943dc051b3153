"""The page of work that gave up, and the two buttons of each piece."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import structlog
from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app import words
from app.model import ItemRef, parse_subject
from app.store.failure import Failure
from app.ticket_view import card_url
from app.web import failures
from app.web.access import DoorHere, PageVisitor
from app.web.board import KIND_LABEL, Surroundings
from app.web.bodies import form_fields
from app.web.desks import DeskHere
from app.web.failures import LABELS, failed_work
from app.web.frames import frame_of
from app.web.looking import surroundings
from app.web.problems import Problem
from app.web.rendering import page

log = structlog.get_logger(__name__)
router = APIRouter(include_in_schema=False)

_MESSAGES = (
    ("comment/", "комментарий в карточке"),
    ("card", "сообщение в чате"),
    ("_warn_", "предупреждение о сроке"),
    ("_breach_again", "повторное уведомление о просрочке"),
    ("_director", "уведомление директору"),
    ("_breach", "уведомление о просрочке"),
    ("unassigned", "нет ответственного"),
)
_DONE = {"retry": "Поставлено в очередь снова: {count}.", "drop": "Снято с очереди: {count}."}


@dataclass(frozen=True, slots=True)
class Work:
    """A line of the page."""

    key: str
    label: str
    about: str
    href: str
    why: str
    attempts: int
    at: str


@dataclass(frozen=True, slots=True)
class Group:
    """Work of one kind; `what` names it in the forms."""

    what: str
    label: str
    works: tuple[Work, ...]


def groups_of(found: Mapping[str, tuple[Failure, ...]], around: Surroundings) -> list[Group]:
    return [
        Group(what, LABELS[what], tuple(_work(failure, around) for failure in failed))
        for what, failed in found.items()
        if failed
    ]


def _work(failure: Failure, around: Surroundings) -> Work:
    """A key begins with the item: `deal:41`, or a message's `deal:41/1/solve_breach/7`."""
    item, _, step = failure.key.partition("/")
    try:
        ref = ItemRef.parse(item)
    except ValueError:
        return Work(failure.key, failure.key, "", "", *_fate(failure, around.zone))
    label, card = f"№{ref.id}", card_url(around.portal_url, ref)
    return Work(
        failure.key, label, message_words(step) or KIND_LABEL[ref.kind], card, *_fate(failure, around.zone)
    )


def message_words(step: str) -> str:
    """What was to be said, from the rest of a message's key (app/alerts.py and app/commenting.py)."""
    return next((text for part, text in _MESSAGES if part in step), "уведомление" if step else "")


def _fate(failure: Failure, zone: ZoneInfo) -> tuple[str, int, str]:
    why = words.masked(failure.error) or "причина не записана"
    return why, failure.attempts, words.moment(failure.failed_at, zone)


@router.get("/failed")
async def show_failed(request: Request, desk: DeskHere, visitor: PageVisitor) -> Response:
    async with desk.db.read() as conn:
        found = await failed_work(conn)
    return page(
        request,
        "failed.html",
        frame=await frame_of(desk, visitor, here="failed"),
        groups=groups_of(found.groups, surroundings(desk)),
        done=_said(request),
    )


def _said(request: Request) -> str:
    """What the button just did, told after the redirect."""
    for act, text in _DONE.items():
        count = request.query_params.get(act, "")
        if count.isascii() and count.isdigit():
            return text.format(count=count[:9])
    return ""


@router.post("/failed/retry")
async def retry(request: Request, desk: DeskHere, visitor: PageVisitor, door: DoorHere) -> Response:
    what, key = await _asked(request, visitor, door)
    async with desk.db.begin() as conn:
        count = await failures.retry(conn, what, key or None, desk.now())
    log.info("failed_work_retried", what=what, key=key or "all", count=count)
    desk.wake()
    return _back("retry", count)


@router.post("/failed/drop")
async def drop(request: Request, desk: DeskHere, visitor: PageVisitor, door: DoorHere) -> Response:
    what, key = await _asked(request, visitor, door)
    if not key:
        raise Problem(400, "Не сказано, от чего отказаться.")
    async with desk.db.begin() as conn:
        dropped = await failures.drop(conn, what, key)
    log.info("failed_work_dropped", what=what, key=key, dropped=dropped)
    return _back("drop", int(dropped))


async def _asked(request: Request, visitor: PageVisitor, door: DoorHere) -> tuple[str, str]:
    fields = await form_fields(request)
    door.check_form(request, visitor, fields.get("mark", ""))
    what = fields.get("what", "")
    key = fields.get("key", "")
    if what not in LABELS or (what == "inbox" and key and not _names_a_subject(key)):
        raise Problem(400, "Такой работы нет.")
    return what, key


def _names_a_subject(key: str) -> bool:
    try:
        parse_subject(key)
    except ValueError:
        return False
    return True


def _back(act: str, count: int) -> RedirectResponse:
    return RedirectResponse(f"/failed?{urlencode({act: count})}", 303)
