"""Every fault of the portal in the middle of a working day: nothing lost, nothing doubled, nothing decided
from half a reading, and the log tells of it once when it begins and once when it ends.

The same day is played with and without the fault; when it has passed and a sweep has been made, cards, chat,
notices and timelines are the same.
"""

from __future__ import annotations

import contextlib
import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.bitrix.errors import PortalError
from app.bitrix.troubles import Kind
from app.demo.office import Case
from app.demo.portal import UNLIMITED
from app.jobs.lead import lead
from app.jobs.reconcile import reconcile
from app.jobs.report import send_due
from app.jobs.watch import watch
from app.serving import go_on, hurry, knock_and_sweep, let_in
from app.web import failures
from tests.jobs.scenes import FIRE, Scene, letter, scene
from tests.lives import at

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.portals("cloud-std", reason="portals differ in the status of a refusal only: test_errors"),
]

BEGINS, ENDS = at("24.11 10:06"), at("24.11 10:14")
ALWAYS = 10**6
MOST_ASKED = 30  # requests in the eight minutes of a fault
FIRST_ITEM = 701  # of the smart process
EXACT = ("SLA_CLASS", "SLA_STATE", "SLA_REPLY_DUE", "SLA_SOLVE_DUE", "SLA_FIRST_REPLY_AT", "SLA_SOLVED_AT",
         "SLA_CONFIRMED_AT", "SLA_OVERDUE", "SLA_PAUSE_TOTAL")  # fmt: skip

Act = Callable[[Scene, dict[str, Case]], object]


def receives(name: str, channel: str, text: str = "Не открывается калитка по лицу") -> Act:
    def act(town: Scene, cases: dict[str, Case]) -> None:
        ticket = letter(text, "Пожар" if text is FIRE else "Калитка", channel)
        cases[name] = town.office.receive(ticket, town.office.agents[0])

    return act


DAY: dict[int, tuple[Act, ...]] = {
    0: (receives("mail", "email"), receives("task", "form"), receives("chat", "telegram")),
    4: (lambda town, cases: town.office.reply(cases["mail"], "Проверили настройки, уже разбираемся"),),
    5: (lambda town, cases: town.office.move(cases["mail"], "in_progress"),),
    # here the fault begins
    7: (receives("fire", "email", FIRE),),
    8: (
        lambda town, cases: town.office.client_says(cases["mail"], "Добавлю: у соседей то же самое"),
        lambda town, cases: town.office.reply(cases["task"], "Поправили, обновите приложение"),
    ),
    9: (lambda town, cases: town.office.move(cases["chat"], "in_progress"),),
    11: (lambda town, cases: town.office.move(cases["mail"], "waiting_client"),),
    # here it ends
    16: (lambda town, cases: town.office.reply(cases["fire"], "Ворота открыты вручную", by_phone=True),),
    40: (lambda town, cases: town.office.client_says(cases["mail"], "Проверил, всё так же"),),
    55: (
        lambda town, cases: town.office.move(cases["fire"], "resolved"),
        lambda town, cases: town.office.move(cases["mail"], "resolved"),
        lambda town, cases: town.office.move(cases["task"], "resolved"),
    ),
}
MOMENTS = sorted({*DAY, *range(6, 18, 2), 25, 41, 56, 75})


@dataclass(frozen=True)
class Fault:
    """How something goes wrong, how it passes, and of what the log may tell."""

    begin: Callable[[Scene], object]
    kinds: frozenset[Kind] = frozenset()
    end: Callable[[Scene], object] = lambda town: town.portal.faults.clear()
    failed_meanwhile: bool = False  # refused for good, until a person lets it be tried again


def failing(kind: str, *kinds: Kind, method: str | None = None, **more: Any) -> Fault:
    return Fault(lambda town: town.portal.faults.fail(method, kind, ALWAYS), frozenset(kinds), **more)


def crowd(town: Scene) -> None:
    """Somebody else on our address. Each refusal is waited out, so few of them last for long."""
    town.portal.faults.fail(None, "limit", 8)


def portal_down(town: Scene) -> None:
    town.portal.faults.down = True


def renamed(town: Scene) -> None:
    town.portal.moved_to = "http://new.test"


def hidden(town: Scene) -> None:
    town.portal.hide(town.office.entity_type, FIRST_ITEM)


def shown(town: Scene) -> None:
    town.portal.show(town.office.entity_type, FIRST_ITEM)


def twisted(twist: Callable[[bytes], bytes]) -> Callable[[Scene], None]:
    """The portal's answers are changed on their way."""

    def begin(town: Scene) -> None:
        town.road.twist = twist

    return begin


def straight(town: Scene) -> None:
    town.road.twist = None


def without_a_page(body: bytes) -> bytes:
    """The last command of each batch has neither an answer nor an error."""
    tree = json.loads(body)
    result = tree.get("result")
    answers = result.get("result") if isinstance(result, dict) else None
    if isinstance(answers, dict) and len(answers) > 1:
        answers.pop(max(answers))
    return json.dumps(tree).encode()


def cut_short(body: bytes) -> bytes:
    return body[: len(body) // 2]


FAULTS: Mapping[str, Fault] = {
    "gateway's page, 502": failing("http502", Kind.SILENCE),
    "gateway's page, 504": failing("http504", Kind.SILENCE),
    "maintenance page with status 200": failing("html", Kind.SILENCE),
    "no answer": failing("hang", Kind.SILENCE),
    "connection reset": failing("reset", Kind.SILENCE),
    "nobody listens": Fault(portal_down, frozenset({Kind.SILENCE})),
    "answer cut short": Fault(twisted(cut_short), frozenset({Kind.SILENCE}), straight),
    "everything done, no answer came": failing("timeout_after_apply", Kind.SILENCE),
    "card written, no answer came": failing("timeout_after_apply", Kind.SILENCE, method="crm.item.update"),
    "task written, no answer came": failing("timeout_after_apply", Kind.SILENCE, method="tasks.task.update"),
    "comment said, no answer came": failing(
        "timeout_after_apply", Kind.SILENCE, method="crm.timeline.comment.add"
    ),
    "chat told, no answer came": failing(
        "timeout_after_apply", Kind.SILENCE, method="imbot.v2.Chat.Message.send"
    ),
    "person told, no answer came": failing(
        "timeout_after_apply", Kind.SILENCE, method="im.notify.personal.add"
    ),
    "portal renamed": Fault(renamed, frozenset(), lambda _: None),
    "webhook expired": failing("credentials", Kind.SHUT),
    "portal deleted": failing("deleted", Kind.SHUT),
    "blocked by the vendor": failing("overload", Kind.SHUT),
    "owner of the webhook shut out": failing("user_access", Kind.SHUT),
    "too many requests": Fault(crowd, frozenset({Kind.RATE})),
    "methods work too long": failing("operating", Kind.RESTING),
    "scope taken away": failing("scope", Kind.FORBIDDEN),
    "scope of one method taken away": failing("scope", Kind.FORBIDDEN, method="crm.item.update"),
    "portal's own fault": failing("internal", Kind.SILENCE),
    "one list of a reading fails": failing("internal", Kind.SILENCE, method="crm.activity.list"),
    "history fails": failing("internal", Kind.SILENCE, method="crm.stagehistory.list"),
    "an answer of a batch is missing": Fault(twisted(without_a_page), frozenset({Kind.SILENCE}), straight),
    "rights to everything taken away": failing("access", failed_meanwhile=True),
}


@dataclass
class Played:
    """What the day left behind."""

    cards: dict[str, dict[str, Any]]
    chat: list[str]
    notices: dict[int, Counter[str]]
    timelines: dict[str, Counter[str]]
    log: Counter[str] = field(default_factory=Counter)
    asked: int = 0  # requests while the fault lasted


async def work(town: Scene) -> None:
    for _ in range(30):
        posted = await town.portal.deliver(town.web, until=town.clock.now() + timedelta(seconds=10))
        await knock_and_sweep(town.desk)
        busy = [await let_in(hurry)(town.desk), await let_in(go_on)(town.desk)]
        if not (posted or any(busy)):
            return


async def played(folder: Path, fault: Fault | None, log: pytest.LogCaptureFixture) -> tuple[Played, Scene]:
    async with scene(folder, "24.11 10:00", kind=UNLIMITED) as town:
        await reconcile(town.desk)
        log.clear()
        cases: dict[str, Case] = {}
        broken = mended = False
        asked = 0
        for minute in MOMENTS:
            now = at("24.11 10:00") + timedelta(minutes=minute)
            town.clock.set(max(now, town.clock.now()))
            await lead(town.desk)
            if fault and now >= BEGINS and not broken:
                fault.begin(town)
                broken, asked = True, town.portal.requests
            if fault and now >= ENDS and not mended:
                fault.end(town)
                mended, asked = True, town.portal.requests - asked
                await mend(town, fault)
            for act in DAY.get(minute, ()):
                act(town, cases)
            await watch(town.desk)
            await work(town)
        await reconcile(town.desk)
        await work(town)
        return replace(left_behind(town, cases, log), asked=asked), town


async def mend(town: Scene, fault: Fault) -> None:
    """What follows an outage: the next look and sweep, a person's retry where work was refused for good."""
    if fault.failed_meanwhile:
        async with town.desk.db.begin() as conn:
            for kind in failures.LABELS:
                await failures.retry(conn, kind, None, town.clock.now())
    town.desk.working_portal.let_in()  # what a restart does; else the next look does it
    await reconcile(town.desk)


def notices_of(town: Scene, person: int) -> list[str]:
    """What they were told, but for the outage itself (test_shut)."""
    texts = [notice["text"] for notice in town.portal.notices(person)]
    return [_at_home(text) for text in texts if "Служба SLA не работала" not in text]


def _at_home(text: str) -> str:
    """Links lead to where the portal is now."""
    return text.replace("new.test", "127.0.0.1:1")


def left_behind(town: Scene, cases: dict[str, Case], log: pytest.LogCaptureFixture) -> Played:
    people = [town.office.head, town.office.director, *town.office.agents]
    return Played(
        cards={name: {code: town.fields(case).get(code) for code in EXACT} for name, case in cases.items()},
        chat=sorted(_at_home(text) for text in town.chat()),
        notices={person: Counter(notices_of(town, person)) for person in people},
        timelines={
            name: Counter(row["text"] for row in town.portal.timeline(int(case.place), case.id))
            for name, case in cases.items()
            if case.place != "task"
        },
        log=Counter(
            record.getMessage()
            .removeprefix("trouble with the portal")
            .removeprefix(" is over")[2:]
            .split(":")[0]
            for record in log.records
            if record.name == "app.bitrix.client"
        ),
    )


@pytest.fixture(scope="module")
def undisturbed() -> dict[str, Played]:
    """Filled by the first test that needs it."""
    return {}


@pytest.mark.parametrize("name", FAULTS)
async def test_day_with_a_fault_ends_like_the_day_without(
    tmp_path: Path, undisturbed: dict[str, Played], caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.INFO)
    if not undisturbed:
        undisturbed["day"], _ = await played(tmp_path / "calm", None, caplog)
    calm, fault = undisturbed["day"], FAULTS[name]
    after, _ = await played(tmp_path / "broken", fault, caplog)
    assert after.cards == calm.cards
    assert after.chat == calm.chat
    assert after.notices == calm.notices
    assert after.timelines == calm.timelines
    told = {kind: count for kind, count in after.log.items() if kind in set(Kind)}
    assert told == dict.fromkeys(fault.kinds, 2)
    assert calm.log == {}
    assert after.asked <= MOST_ASKED, "a portal in trouble is not asked again and again"


async def test_card_that_was_hidden_for_a_while_goes_on_when_it_is_seen_again(
    tmp_path: Path, undisturbed: dict[str, Played], caplog: pytest.LogCaptureFixture
) -> None:
    """It cannot be told from a deleted one, so its clocks stand still meanwhile; nobody is alarmed."""
    if not undisturbed:
        undisturbed["day"], _ = await played(tmp_path / "calm", None, caplog)
    calm = undisturbed["day"]
    after, _ = await played(tmp_path / "broken", Fault(hidden, end=shown), caplog)
    moved = {"SLA_REPLY_DUE", "SLA_SOLVE_DUE"}
    assert {code for code in EXACT if after.cards["chat"][code] != calm.cards["chat"][code]} == moved
    assert (after.chat, after.notices) == (calm.chat, calm.notices)
    assert {name: card for name, card in after.cards.items() if name != "chat"} == {
        name: card for name, card in calm.cards.items() if name != "chat"
    }


@pytest.mark.parametrize("method", ["imbot.v2.Chat.Message.send", "imbot.v2.File.upload"])
@pytest.mark.parametrize("kind", ["timeout_after_apply", "hang", "http502", "internal"])
async def test_digest_whose_answer_never_came_is_sent_once(tmp_path: Path, method: str, kind: str) -> None:
    async with scene(tmp_path, "24.11 10:00", kind=UNLIMITED) as town:
        town.clock.set(at("25.11 09:06"))
        for part in range(3):
            town.portal.faults.fail(method, kind)
            with contextlib.suppress(PortalError):
                await send_due(town.desk)
            town.portal.faults.clear()
            town.clock.advance(timedelta(minutes=1 + part))
        await send_due(town.desk)
        said = town.portal.messages(town.office.chat)
        assert len([message for message in said if message["text"].startswith("📋")]) == 1
        assert len([message for message in said if message["file"]]) == 2
