"""Every point on which the sources conflict or are silent: the same day ends the same either way."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import anyio
import pytest

from app.demo.office import Case
from app.demo.portal import CLOUD_STD, SELF_HOSTED, UNLIMITED, Profile
from app.jobs.knock import knock
from app.jobs.lead import lead
from app.jobs.watch import watch
from app.model import State, Ticket
from tests.jobs.scenes import FIRE, SMS, Scene, letter, scene
from tests.lives import at

pytestmark = [pytest.mark.anyio, pytest.mark.portals("cloud-std", reason="each row is a portal of its own")]


@dataclass(frozen=True)
class End:
    """What people see of the day when it is over."""

    fields: dict[str, dict[str, Any]]
    verdicts: dict[str, Any]
    chat: list[str]
    notices: dict[int, list[str]]
    timeline: dict[str, list[str]]


class Day:
    """One life of each kind. Every act stands on a round minute, however long the one before it took."""

    def __init__(self, town: Scene) -> None:
        self.town, self.office, self.portal = town, town.office, town.portal
        self.cases: dict[str, Case] = {}
        self.agent = town.office.agents[0]

    async def play(self) -> None:
        for moment, acts in self.plot().items():
            self.town.clock.set(at(moment))
            for act in acts:
                act()
            await watch(self.town.desk)
            await self.town.settle()
            if moment.endswith("5"):
                await self.town.sweep()

    def plot(self) -> dict[str, list[Callable[[], object]]]:
        """Time → acts. At a minute that ends in 5 the sweep goes round after them."""
        reply, says, moves = self.office.reply, self.office.client_says, self.moves
        return {
            "24.11 10:00": [self.begin],
            "24.11 10:16": [  # the emergency's reply is a minute late
                lambda: self.line_says("Проверяем отправку кода, минуту"),
                lambda: reply(self.cases["deal"], "Код отправлен повторно, проверьте."),
                lambda: reply(self.cases["task"], "Взяли в работу, инженер проверит."),
            ],
            "24.11 10:40": [
                lambda: reply(self.cases["fire"], "Ворота открыты вручную."),
                moves(deal="waiting_client", fire="escalated", item="postponed", task="in_progress"),
            ],
            "24.11 11:25": [
                lambda: says(self.cases["deal"], "Код так и не пришёл"),
                lambda: says(self.cases["task"], "Когда придёт инженер?"),
                lambda: self.funnel("leaves", 0),
                lambda: self.funnel("comes", self.office.category),
                lambda: self.portal.delete_item(2, self.cases["binned"].id, by=self.agent),
                moves(item="in_progress"),
            ],
            "24.11 12:05": [
                lambda: self.portal.restore(2, self.cases["binned"].id, by=self.agent),
                moves(deal="closed_confirmed", fire="resolved", task="closed_confirmed"),
            ],
            "24.11 13:05": [
                lambda: says(self.cases["deal"], "Опять не приходит код"),
                lambda: reply(self.cases["item"], "", by_phone=True),
                lambda: self.line_says("Код придёт в течение часа"),
                moves(deal="in_progress", item="closed_unconfirmed"),
            ],
        }

    def moves(self, **states: str) -> Callable[[], object]:
        def act() -> None:
            for name, state in states.items():
                self.office.move(self.cases[name], state)

        return act

    def funnel(self, name: str, category: int) -> None:
        self.portal.move_funnel(2, self.cases[name].id, category, by=self.agent)

    def begin(self) -> None:
        for name, text, channel in (
            ("deal", SMS, "email"), ("fire", FIRE, "email"), ("item", SMS, "telegram"), ("task", SMS, "form"),
            ("leaves", SMS, "email"), ("binned", SMS, "email"),
        ):  # fmt: skip
            self.cases[name] = self.office.receive(letter(text, channel=channel), self.agent)
        sale = self.portal.add_deal("Не приходит код", by=1, assigned=self.agent, comments=SMS)
        self.cases["comes"] = Case(2, sale, self.agent)
        self.begin_line()

    def begin_line(self) -> None:
        deal = self.portal.add_deal("Гость №1", category=self.office.category, by=self.office.intake,
                                    assigned=self.agent)  # fmt: skip
        self.cases["line"] = Case(2, deal, self.agent)
        self.session = self.portal.open_line_of(self.portal.add_open_line((2, deal), by=self.agent))
        self.portal.open_line_says(self.session, SMS)

    def line_says(self, text: str) -> None:
        self.portal.open_line_says(self.session, text, "agent")

    async def end(self) -> End:
        crm = {name: case for name, case in self.cases.items() if case.place != "task"}
        return End(
            fields={name: plain(self.town.fields(case)) for name, case in self.cases.items()},
            verdicts={name: verdict(await self.town.ticket(case)) for name, case in self.cases.items()},
            chat=sorted(self.town.chat()),
            notices={user: sorted(told(self.portal.notices(user))) for user in self.portal.world.users},
            timeline={n: sorted(told(self.portal.timeline(int(c.place), c.id))) for n, c in crm.items()},
        )


def told(rows: Iterable[dict[str, Any]]) -> list[str]:
    return [str(row["text"]) for row in rows]


def plain(fields: dict[str, Any]) -> dict[str, Any]:
    """What nobody filled looks different in different answers."""
    return {name: value for name, value in fields.items() if value not in (None, "", False, [])}


def verdict(ticket: Ticket) -> Any:
    """To the minute, as the card has it: what no event told is seen some seconds later."""
    clocks = [clock for cycle in ticket.cycles for clock in (cycle.reply, cycle.solution)]
    instants = [at and at.replace(second=0) for clock in clocks for at in (clock.due_at, clock.met_at)]
    return ticket.state, ticket.value, ticket.sla_state, ticket.escalation_level, instants


async def played(folder: Path, profile: Profile) -> End:
    async with scene(folder, "24.11 09:55", kind=profile) as town:
        day = Day(town)
        await day.play()
        return await day.end()


@pytest.fixture(scope="module")
async def usual(tmp_path_factory: pytest.TempPathFactory) -> End:
    """The day on a cloud portal as everybody thinks it is."""
    return await played(tmp_path_factory.mktemp("usual"), CLOUD_STD)


SWITCHES: dict[str, Profile] = {
    "self-hosted": SELF_HOSTED,
    "the batch pays, an older CRM, restored in silence": replace(
        CLOUD_STD, batch_billed="batch", refused_count=True, original_names=False, v3=False,
        loopback_handlers=False, restored="nothing", empty_multiple="text",
    ),
    "nobody pays, events as they were, restored as changed": replace(
        CLOUD_STD, batch_billed="nobody", handler_id=False, timeline_event="flat", comment_before="N",
        event_ts="sent", restored="update", empty_multiple="false",
    ),
    "no running time, nothing but what is asked for": replace(
        CLOUD_STD, operating=None, whole_start=True, uncounted="absent", all_has_own=False,
        empty_multiple="list", required_code="-", funnel_move="category",
    ),
    "the old task card in the cloud": replace(CLOUD_STD, task_card="comments", kanban_history="STAGE"),
}  # fmt: skip
"""Several in a row, since a day takes seconds: whichever breaks it is found by halves."""


@pytest.mark.parametrize("name", SWITCHES)
async def test_day_ends_the_same_however_the_portal_is_switched(
    name: str, usual: End, tmp_path: Path
) -> None:
    assert await played(tmp_path, SWITCHES[name]) == usual


APART = {
    "name", "bucket", "drain", "costs", "portal_zone", "user_zone", "license", "features",
}  # fmt: skip
"""Fields of a profile about which the sources agree: tariffs, zones."""


def test_every_open_question_is_a_row() -> None:
    switched = {
        field.name
        for field in fields(Profile)
        for profile in SWITCHES.values()
        if getattr(profile, field.name) != getattr(CLOUD_STD, field.name)
    }
    assert {field.name for field in fields(Profile)} - switched - APART - {
        name for _, name, _ in STATUSES
    } == set()


STATUSES = [
    ("credentials", "credentials_status", (401, 403)),
    ("overload", "overload_status", (503, 401)),
    ("deleted", "deleted_status", (500, 410, 403)),
    ("user_access", "user_access_status", (403, 401)),
]


@pytest.mark.parametrize(("kind", "name", "statuses"), STATUSES)
async def test_refusal_is_known_by_its_code_whatever_its_status(
    kind: str, name: str, statuses: tuple[int, ...], tmp_path: Path
) -> None:
    """Shut out, the service asks nothing, tells a person, looks again, and goes on where it was."""
    ends = [await refused_once(tmp_path / str(status), kind, {name: status}) for status in statuses]
    assert ends[0].fields["SLA_CLASS"] == "standard"
    assert len(ends[0].notices) == 1
    assert ends == [ends[0]] * len(statuses)


@dataclass(frozen=True)
class After:
    """What is left of a refusal: the card, who was told, and what was asked of the portal meanwhile."""

    fields: dict[str, Any]
    notices: list[str]
    asked: int


async def refused_once(folder: Path, kind: str, switched: dict[str, Any]) -> After:
    await anyio.Path(folder).mkdir()
    async with scene(folder, kind=replace(UNLIMITED, **switched)) as town:
        await lead(town.desk)
        case = town.office.receive(letter(), town.office.agents[0])
        town.portal.faults.fail(None, kind)
        await town.settle()
        before = town.portal.requests
        await knock(town.desk)
        await town.settle()
        asked = town.portal.requests - before
        town.clock.set(at("24.11 11:30"))  # even after an overload somebody has looked by then
        await knock(town.desk)
        await town.settle()
        return After(plain(town.fields(case)), told(town.portal.notices(town.office.head)), asked)


def test_usual_day_has_something_of_everything(usual: End) -> None:
    states = {name: found[0] for name, found in usual.verdicts.items()}
    assert states == {
        "deal": State.IN_PROGRESS, "fire": State.RESOLVED, "item": State.CLOSED_UNCONFIRMED,
        "task": State.CLOSED_CONFIRMED, "leaves": State.LEFT, "comes": State.NEW, "binned": State.NEW,
        "line": State.NEW,
    }  # fmt: skip
    assert usual.fields["fire"]["SLA_STATE"] == "breached"
    assert usual.fields["line"]["SLA_FIRST_REPLY_AT"] == at("24.11 10:16")
    assert usual.fields["deal"]["SLA_PAUSE_TOTAL"]
    assert [line for line in usual.chat if "Решено" in line and "с опозданием" in line]
