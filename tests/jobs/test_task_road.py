"""Tasks of both cards over the whole road: who replied, the kanban, shut chats, words of decisions."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from app.demo.office import Case
from app.jobs.listen import listen
from app.model import State
from app.store import outbox
from tests.jobs.scenes import SMS, Scene, scene

pytestmark = pytest.mark.anyio
CARDS = ("chat", "comments")


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Scene]:
    async with scene(tmp_path) as made:
        yield made


@pytest.fixture
async def letting(tmp_path: Path) -> AsyncIterator[Scene]:
    """The rules let the service into shut chats."""
    async with scene(tmp_path, rewritten=lambda text: f"{text}\n[tasks]\njoin = true\n") as made:
        yield made


def task_of(town: Scene, author: int, *, card: str = "", auditors: tuple[int, ...] = (9,)) -> Case:
    agent = town.office.agents[0]
    number = town.portal.add_task(
        "Не приходит код", SMS, created_by=author, responsible=agent, group=town.office.group,
        auditors=auditors, accomplices=(town.office.guest,), card=card,
    )  # fmt: skip
    return Case("task", number, agent)


async def first_reply(town: Scene, case: Case) -> object:
    return (await town.ticket(case)).now_cycle.reply.met_at


# --- who replied (sla.md 3) --------------------------------------------------------------


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize(
    ("author", "speaker", "replies"),
    [
        ("colleague", "agent", True),
        ("colleague", "another", True),
        ("colleague", "colleague", False),  # who asks
        ("colleague", "guest", False),
        ("colleague", "mail", False),
        ("colleague", "service", False),
        ("agent", "agent", True),  # entered for a client
        ("agent", "another", True),
        ("agent", "guest", False),
        ("guest", "guest", False),
        ("guest", "another", True),
    ],
)
async def test_whose_words_are_a_reply(
    town: Scene, card: str, author: str, speaker: str, replies: bool
) -> None:
    office, portal = town.office, town.portal
    people = {"colleague": office.director, "agent": office.agents[0], "another": office.agents[1]}
    people |= {"guest": office.guest, "service": office.service}
    people["mail"] = portal.add_user("Житель", "По почте", mail=True)
    case = task_of(town, people[author], card=card)
    await town.settle()
    town.clock.advance(timedelta(minutes=20))
    said_at = town.clock.now()
    portal.task_message(case.id, "Проверили, сейчас всё должно работать", people[speaker])
    await town.settle()
    assert await first_reply(town, case) == (said_at if replies else None)


@pytest.mark.portals("cloud-std", reason="lines of the new card's chat")
async def test_system_lines_reply_to_nobody(town: Scene) -> None:
    case = task_of(town, town.office.director)
    town.portal.set_status(case.id, 3, by=case.agent)
    town.portal.update_task(case.id, {"RESPONSIBLE_ID": town.office.agents[1]}, by=town.office.head)
    await town.settle()
    assert await first_reply(town, case) is None


@pytest.mark.parametrize("card", CARDS)
async def test_word_taken_back_was_said_all_the_same(town: Scene, card: str) -> None:
    case = task_of(town, town.office.director, card=card)
    number = town.portal.task_message(case.id, "Уже смотрим, ответим до обеда", case.agent)
    await town.settle()
    replied_at = await first_reply(town, case)
    town.clock.advance(timedelta(minutes=5))
    town.portal.delete_task_message(number)
    await town.desk_puts(case)
    await town.settle()
    assert await first_reply(town, case) == replied_at is not None


async def test_comment_of_the_old_card_that_changes_is_heard_of(town: Scene) -> None:
    case = task_of(town, town.office.director, card="comments")
    number = town.portal.task_message(case.id, "Смотрим", case.agent)
    await town.settle()
    asked = town.portal.calls_of("task.commentitem.getlist")
    town.portal.edit_task_message(number, "Смотрим, ответим до обеда")
    await town.settle()
    assert town.portal.calls_of("task.commentitem.getlist") == asked + 1


# --- the kanban --------------------------------------------------------------------------


async def test_status_and_column_both_tell_and_the_last_wins(town: Scene) -> None:
    case, states = task_of(town, town.office.director), []
    waiting, doing = (town.office.kanban[name] for name in ("waiting_client", "in_progress"))
    acts: list[Callable[[], object]] = [
        lambda: town.portal.set_status(case.id, 3, by=case.agent),
        lambda: town.portal.move_task(case.id, waiting, by=case.agent),
        lambda: town.portal.set_status(case.id, 6, by=case.agent),
        lambda: town.portal.move_task(case.id, doing, by=case.agent),
        lambda: town.portal.set_status(case.id, 5, by=case.agent),
        lambda: town.portal.move_task(case.id, waiting, by=case.agent),  # a finished task is put elsewhere
        lambda: town.portal.set_status(case.id, 2, by=town.office.director),
        lambda: town.portal.move_task(case.id, doing, by=case.agent),
        lambda: town.portal.move_task(case.id, waiting, by=case.agent),
    ]
    for act in acts:
        town.clock.advance(timedelta(minutes=3))
        act()
        await town.settle()
        states.append((await town.ticket(case)).state)
    assert states == [
        State.IN_PROGRESS, State.WAITING_CLIENT, State.POSTPONED, State.IN_PROGRESS, State.CLOSED_CONFIRMED,
        State.CLOSED_CONFIRMED, State.NEW, State.IN_PROGRESS, State.WAITING_CLIENT,
    ]  # fmt: skip


async def test_status_changed_in_the_second_of_the_birth_stands(town: Scene) -> None:
    case = task_of(town, town.office.director)
    town.portal.set_status(case.id, 3, by=case.agent)
    await town.settle()
    assert (await town.ticket(case)).state is State.IN_PROGRESS


# --- chats that are shut -----------------------------------------------------------------

shut = pytest.mark.portals("cloud-std", reason="the old card's forum is open to administrators")


@shut
async def test_service_lets_itself_in_once_and_reads(letting: Scene) -> None:
    case = task_of(letting, letting.office.director, auditors=())
    letting.portal.task_message(case.id, "Проверили, работает", case.agent)
    await letting.settle()
    assert letting.portal.task(case.id)["auditors"] == ["9"]
    assert await first_reply(letting, case) is not None
    letting.portal.update_task(case.id, {"AUDITORS": []}, by=letting.office.head)
    letting.portal.task_message(case.id, "Спасибо", letting.office.director)
    await letting.settle()
    assert letting.portal.task(case.id)["auditors"] == []
    assert letting.portal.calls_of("tasks.task.startwatch") == 1


@shut
async def test_task_that_lets_nobody_in_is_told_once(letting: Scene) -> None:
    for method in ("tasks.task.startwatch", "tasks.task.update"):
        letting.portal.faults.fail(method, "access", times=2)  # the stamp is refused, too
    case = task_of(letting, letting.office.director, auditors=())
    await letting.settle()
    letting.portal.task_message(case.id, "Ау", letting.office.director)
    await letting.desk_puts(case)
    await letting.settle()
    async with letting.desk.db.read() as conn:
        failed = [one.error for one in await outbox.failed(conn)]
    assert len([text for text in failed if "добавьте владельца вебхука" in text]) == 1
    assert letting.portal.calls_of("tasks.task.startwatch") == 1


@shut
async def test_without_leave_the_stage_alone_is_trusted(town: Scene) -> None:
    case = task_of(town, town.office.director, auditors=())
    town.portal.move_task(case.id, town.office.kanban["waiting_client"], by=case.agent)
    await town.settle()
    ticket = await town.ticket(case)
    assert town.portal.task(case.id)["auditors"] == []
    assert ticket.now_cycle.solution.paused
    assert any(":silent" in entry.cause for entry in ticket.now_cycle.solution.entries)


# --- words of decisions ------------------------------------------------------------------


def alone(town: Scene, *, card: str = "") -> Case:
    """A task that only employees read."""
    agent = town.office.agents[0]
    number = town.portal.add_task(
        "Не приходит код", SMS, created_by=town.office.director, responsible=agent, group=town.office.group,
        auditors=(town.office.service,), card=card,
    )  # fmt: skip
    return Case("task", number, agent)


def decisions(town: Scene, case: Case) -> list[str]:
    words = town.portal.task_words(case.id)
    return [text for author, text in words if author == town.office.service and text.startswith("SLA: ")]


@pytest.mark.parametrize("card", CARDS)
async def test_decision_is_said_in_the_task_and_is_nobodys_reply(town: Scene, card: str) -> None:
    case = alone(town, card=card)
    await town.settle()
    [text] = decisions(town, case)
    assert "ответ до" in text
    await town.sweep()
    assert len(decisions(town, case)) == 1
    assert await first_reply(town, case) is None


async def test_decision_is_not_said_before_a_client(town: Scene) -> None:
    case = task_of(town, town.office.guest)
    await town.settle()
    assert decisions(town, case) == []


@pytest.mark.portals("cloud-std", reason="version 3")
@pytest.mark.parametrize("auditors", [(), (9,)])
async def test_decision_whose_answer_was_lost_is_said_once(town: Scene, auditors: tuple[int, ...]) -> None:
    town.portal.faults.fail("tasks.task.chat.message.send", "timeout_after_apply")
    number = town.portal.add_task(
        "Не приходит код", SMS, created_by=town.office.director, responsible=town.office.agents[0],
        group=town.office.group, auditors=auditors,
    )  # fmt: skip
    case = Case("task", number, town.office.agents[0])
    await town.settle()
    for _ in range(5):
        town.clock.advance(timedelta(minutes=10))
        await town.settle()
    assert len(decisions(town, case)) == 1
    async with town.desk.db.read() as conn:
        assert (await outbox.lag(conn, town.clock.now()))[0] == 0
        assert await outbox.failed(conn) == []


# --- the queue of talk -------------------------------------------------------------------


@pytest.mark.portals("cloud-std", reason="chats of tasks are the new card's")
async def test_word_is_heard_without_an_event_and_without_the_sweep(town: Scene) -> None:
    case = task_of(town, town.office.director)
    await listen(town.desk)
    await town.settle()
    town.portal.events.drop = 1.0
    town.clock.advance(timedelta(minutes=7))
    said_at = town.clock.now()
    town.portal.task_message(case.id, "Проверили, работает", case.agent)
    assert await listen(town.desk) == 1
    await town.settle()
    assert await first_reply(town, case) == said_at


@pytest.mark.portals("cloud-std", reason="chats of tasks are the new card's")
async def test_what_was_heard_before_a_crash_is_heard_again(
    town: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = task_of(town, town.office.director)
    await listen(town.desk)
    await town.settle()
    town.portal.events.drop = 1.0
    town.portal.task_message(case.id, "Проверили, работает", case.agent)

    async def cut(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as broken:
        broken.setattr("app.store.marks.put", cut)
        with pytest.raises(RuntimeError):
            await listen(town.desk)
    await listen(town.desk)
    await town.settle()
    assert await first_reply(town, case) is not None


async def test_quiet_queue_costs_one_request_and_no_write(town: Scene) -> None:
    await listen(town.desk)
    before = town.portal.requests
    for _ in range(4):
        town.clock.advance(timedelta(seconds=15))
        await listen(town.desk)
    assert town.portal.requests - before == 4
