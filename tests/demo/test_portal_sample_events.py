"""Sample events of an application, and those that only an old or a hand-made portal raises."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from app.demo.portal import UNLIMITED, Profile
from app.demo.portal.php import parse_query
from tests.demo.applicant import INSTALL, Applicant, sample
from tests.demo.helpdesk import HANDLER, Helpdesk
from tests.demo.shapes import differences

pytestmark = pytest.mark.anyio

OLD = replace(UNLIMITED, task_card="comments")
FLAT = replace(UNLIMITED, timeline_event="flat")
Cause = Callable[[Applicant], Awaitable[object]]


async def note(desk: Helpdesk) -> int:
    deal = desk.portal.add_deal("Сделка")
    fields = {"ENTITY_ID": deal, "ENTITY_TYPE": "deal", "COMMENT": "Заметка"}
    made: int = await desk.call("crm.timeline.comment.add", fields=fields)
    return made


async def note_changed(desk: Applicant) -> None:
    await desk.call("crm.timeline.comment.update", id=await note(desk), fields={"COMMENT": "Иначе"})


async def note_deleted(desk: Applicant) -> None:
    await desk.call("crm.timeline.comment.delete", id=await note(desk))


def comment(desk: Applicant) -> int:
    task = desk.portal.add_task("Задача", created_by=1, responsible=9)
    return desk.portal.task_message(task, "Готово", 9)


async def comment_changed(desk: Applicant) -> None:
    desk.portal.edit_task_message(comment(desk), "Готово!")


async def comment_deleted(desk: Applicant) -> None:
    desk.portal.delete_task_message(comment(desk))


CHANGES: dict[str, tuple[Profile, Cause]] = {
    "ONCRMTIMELINECOMMENTUPDATE": (FLAT, note_changed),
    "ONCRMTIMELINECOMMENTDELETE": (FLAT, note_deleted),
    "ONTASKCOMMENTUPDATE": (OLD, comment_changed),
    "ONTASKCOMMENTDELETE": (OLD, comment_deleted),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_change_is_told_as_in_the_sample(name: str) -> None:
    profile, cause = CHANGES[name]
    desk = Applicant(profile)
    desk.portal.subscribe(HANDLER, "token", [name])
    await cause(desk)
    sent = parse_query(desk.portal.pending_events[-1].body.decode())
    expected = sample(f"event.{name}")["body_outgoing_webhook"]["decoded"]
    assert sorted(differences(expected, sent, loose={"event_handler_id"})) == []


# --- what only applications hear ---------------------------------------------------------


async def installed(desk: Applicant) -> None:
    desk.portal.add_application(INSTALL)


async def updated(desk: Applicant) -> None:
    desk.portal.update_application(desk.application)


async def removed(desk: Applicant) -> None:
    desk.portal.remove_application(desk.application)


async def tried(desk: Applicant) -> None:
    await desk.told("event.test", any="data")


async def funnel_changed(desk: Applicant) -> None:
    deal = desk.portal.add_deal("Сделка")
    desk.portal.move_funnel(2, deal, desk.portal.add_funnel("Вторая", [("NEW", "Новая", "P")]))


async def queued(desk: Applicant) -> None:
    await desk.bind_offline("ONCRMDEALADD")
    desk.portal.add_deal("Сделка")


FOR_APPLICATIONS: dict[str, Cause] = {
    "ONAPPINSTALL": installed,
    "ONAPPUPDATE": updated,
    "ONAPPUNINSTALL": removed,
    "ONAPPTEST": tried,
    "ONCRMDEALMOVETOCATEGORY": funnel_changed,
    "ONOFFLINEEVENT": queued,
}
TOKENS = {f"auth.{name}" for name in ("expires", "user_id", "refresh_token", "expires_in", "access_token",
                                      "scope", "status", "server_endpoint", "client_endpoint")}  # fmt: skip
"""Which of them an event carries is told by test_portal_oauth; the samples print them everywhere."""
LOOSE = {"data.QUERY", "event_handler_id"} | {"data"}
"""What a test asked with, numbers of subscriptions; and an empty `data` leaves no trace in a form."""


@pytest.mark.parametrize("name", FOR_APPLICATIONS)
async def test_application_is_told_as_in_the_sample(name: str) -> None:
    desk = Applicant()
    await desk.bind(name)
    await FOR_APPLICATIONS[name](desk)
    [sent] = [
        parse_query(one.body.decode()) for one in desk.portal.pending_events if one.event.upper() == name
    ]
    expected = sample(f"event.{name}")["body"]["decoded"]
    assert (
        sorted(
            differences(
                expected, sent, loose=TOKENS | (LOOSE if name == "ONOFFLINEEVENT" else LOOSE - {"data"})
            )
        )
        == []
    )
