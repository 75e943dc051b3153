"""Spoilt input for everything that reads what others wrote, and the law each reader keeps.

A case is a seed: `python -m tests.security.fuzzing --target form --seed 17 --cases 1` plays it again.
`make fuzz` plays many; the tests play a few thousand.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app.bitrix.errors import PortalError
from app.bitrix.events import Unreadable, event_of, read_form, token_of
from app.bitrix.wire import Answer, Command, php_query, read_answer, read_batch
from app.model import Event, ItemRef, parse_subject
from app.rules import Rules, RulesFault, load_rules
from app.settings import Settings, SettingsFault
from app.store.tickets import CursorFault, _place

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[1] / "data" / "bitrix24" / "examples"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
REFUSALS = {400, 413, 415}

ODD = (
    "", " ", "0", "-1", "00", "undefined", "null", "true", "9" * 19, "9" * 400, "9" * 5000, "1e999", "NaN",
    "\0", "\ud800", "%00", "%ff", "%ED%A0%80", "[", "]", "[]", "[[", "a[b", "\r\n", "٣", "²", "😀", "../..",
    "=cmd()", "'\"<>&", "A" * 5000, "2026-13-45",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, 2**200, 1.5, float("inf"), "", [], {}, [[]], {"0": {}}, *ODD,
)  # fmt: skip


# --- where cases come from ---------------------------------------------------------------


@cache
def events() -> tuple[dict[str, Any], ...]:
    """The trees of the vendor's sample events."""
    samples = (json.loads(file.read_text("utf-8")) for file in sorted(EXAMPLES.glob("event.ON*.json")))
    return tuple(each["body"]["decoded"] for each in samples if isinstance(each.get("body"), dict))


@cache
def answers() -> tuple[Any, ...]:
    samples = (json.loads(file.read_text("utf-8")) for file in sorted(EXAMPLES.glob("*.json")))
    return tuple(each["response"] for each in samples if isinstance(each, dict) and "response" in each)


@cache
def rules_text() -> str:
    return files("app.rules").joinpath("rules.toml").read_text("utf-8")


def spoilt_text(chance: random.Random, text: str) -> str:
    """A few cuts, repetitions and odd pieces."""
    for _ in range(chance.randint(1, 4)):
        at = chance.randint(0, len(text))
        end = min(len(text), at + chance.choice((1, 3, 20)))
        piece = chance.choice((*ODD, text[at:end] * 2, text[at:end] * 30, ""))
        text = text[:at] + piece + text[chance.choice((at, end)) :]
    return text


def spoilt_tree(chance: random.Random, tree: Any, depth: int = 0) -> Any:
    """The tree with some of its branches exchanged for what nobody expects there."""
    if chance.random() < 0.08:
        return chance.choice(ODD_VALUES)
    if chance.random() < 0.02:
        return nested(chance.choice((9, 10, 11, 12, 200)), chance.choice((list, dict)))
    if isinstance(tree, Mapping):
        grown = {_key(chance, key): spoilt_tree(chance, value, depth + 1) for key, value in tree.items()}
        if chance.random() < 0.02:
            grown |= {f"k{n}": "1" for n in range(chance.choice((900, 1000, 1001)))}
        return grown if chance.random() > 0.05 else list(grown.values())
    return [spoilt_tree(chance, value, depth + 1) for value in tree] if isinstance(tree, list) else tree


def nested(depth: int, kind: type) -> Any:
    value: Any = "1"
    for _ in range(depth):
        value = [value] if kind is list else {"x": value}
    return value


def _key(chance: random.Random, key: object) -> str:
    return chance.choice(ODD) if chance.random() < 0.03 else str(key)


def keeps(law: bool, broken: str) -> None:
    if not law:
        raise AssertionError(broken)


# --- readers and their laws --------------------------------------------------------------


def form(chance: random.Random) -> str:
    """An event, or Unreadable with a status of contract.md 3."""
    tree = spoilt_tree(chance, chance.choice(events()))
    text = _as_form(chance, tree if isinstance(tree, Mapping) else {"event": tree})
    if chance.random() < 0.4:
        text = spoilt_text(chance, text)
    return _event(text.encode("utf-8", chance.choice(("surrogatepass", "replace"))), FORM)


def _as_form(chance: random.Random, tree: Mapping[str, Any]) -> str:
    try:
        text = php_query(tree)
    except UnicodeEncodeError:  # half an emoji
        text = "&".join(f"{key}={quote(repr(value))}" for key, value in tree.items())
    how = chance.random()
    if how < 0.2:
        text = text.replace("%5B", "[").replace("%5D", "]")
    elif how < 0.3:
        text = "&".join([text] * chance.choice((2, 3, 200)))
    elif how < 0.4:
        text = re.sub(r"%5B\d+%5D", "[]", text)
    return text


def json_event(chance: random.Random) -> str:
    tree = spoilt_tree(chance, chance.choice(events()))
    text = json.dumps(tree, ensure_ascii=chance.random() < 0.5)
    if chance.random() < 0.3:
        text = spoilt_text(chance, text)
    return _event(
        text.encode("utf-8", "surrogatepass"),
        chance.choice((JSON, "application/json; charset=x", "text/json")),
    )


def _event(body: bytes, kind: str) -> str:
    try:
        tree = read_form(body, kind)
    except Unreadable as refused:
        keeps(refused.status in REFUSALS, f"status {refused.status}")
        return str(refused.status)
    event, token = event_of(tree), token_of(tree)
    assert isinstance(event, Event)
    assert isinstance(token, str)
    if event.subject is not None:
        assert parse_subject(str(event.subject)) == event.subject
        assert 0 < event.subject.id < 2**63, "no database holds it"
    return "event" if event.subject else "of no use"


def answer(chance: random.Random) -> str:
    """An Answer, or a PortalError; inside a batch one of them for each command."""
    tree = spoilt_tree(chance, chance.choice(answers()))
    body = json.dumps(tree, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    if chance.random() < 0.2:
        at = chance.randrange(len(body) + 1)
        body = body[:at] + chance.randbytes(3) + body[at:]
    commands = [Command("crm.item.get", {"id": 1})] * chance.choice((0, 1, 3))
    try:
        told = read_answer(
            chance.choice((200, 200, 200, 302, 400, 401, 429, 500, 503)), body, NOW, method="m"
        )
        each = read_batch(told, commands, NOW)
    except PortalError as error:
        return type(error).__name__
    assert isinstance(told, Answer)
    assert len(each) == len(commands)
    assert all(isinstance(one, Answer | PortalError) for one in each)
    told.rows("items")
    return "answer"


def rules(chance: random.Random) -> str:
    """Rules, or RulesFault with every fault in words."""
    lines = rules_text().splitlines()
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(lines))
        key, equals, _ = lines[at].partition("=")
        odd = chance.choice(
            (
                *map(json.dumps, ODD[:9]),
                "-5",
                "1.5",
                "true",
                "[]",
                "{}",
                "2026-11-24",
                '"24x7"',
                '["x"]',
                '{a="b"}',
            )
        )
        act = chance.randrange(4)
        if act == 0 and equals:
            lines[at] = f"{key}= {odd}"
        elif act == 1:
            lines[at] = spoilt_text(chance, lines[at])
        elif act == 2:
            del lines[at]
        else:
            lines.insert(at, chance.choice(lines))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rules.toml"
        file.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
        try:
            found = load_rules(file)
        except RulesFault as refused:
            keeps(
                bool(refused.faults) and all(fault.problem for fault in refused.faults),
                "a fault without words",
            )
            return "refused"
    assert isinstance(found, Rules)
    return "rules"


_SETTINGS = {
    "B24SLA_PORTAL_WEBHOOK": "https://example.bitrix24.ru/rest/9/topsecret0123456/",
    "B24SLA_EVENT_TOKENS": "a, b",
    "B24SLA_DATABASE_URL": "postgresql+asyncpg://sla:topsecret@db.example/sla",
    "B24SLA_RULES": "rules.toml",
    "B24SLA_PORT": "8080",
    "B24SLA_HOST": "127.0.0.1",
    "B24SLA_PUBLIC_URL": "https://sla.example.ru",
    "B24SLA_ADMIN_TOKEN": "topsecret-topsecret",
    "B24SLA_CA_FILE": "/nowhere",
    "B24SLA_DRY_RUN": "true",
    "B24SLA_LOG_LEVEL": "info",
}


def environment(chance: random.Random) -> str:
    """Settings, or SettingsFault that repeats no secret."""
    environ = {name: value for name, value in _SETTINGS.items() if chance.random() < 0.5}
    for name in list(environ):
        if chance.random() < 0.6:
            environ[name] = spoilt_text(chance, environ[name])
        if chance.random() < 0.1:
            environ[spoilt_text(chance, name)] = environ[name]
    try:
        found = Settings.read(environ)
    except SettingsFault as refused:
        keeps("topsecret" not in str(refused), "a secret is repeated")
        return "refused"
    assert "topsecret" not in repr(found)
    return "settings"


def reference(chance: random.Random) -> str:
    """A reference that reads as it is written, or ValueError; a place in a list, or CursorFault."""
    text = spoilt_text(chance, chance.choice(("deal:41", "item:177:5", "task:17", "activity:9", "comment:3")))
    for parse in (ItemRef.parse, parse_subject):
        try:
            found = parse(text)
        except ValueError:
            continue
        assert parse(str(found)) == found
        return "reference"
    try:
        _place(text)
    except CursorFault:
        return "refused"
    return "place"


TARGETS: Mapping[str, Callable[[random.Random], str]] = {
    "form": form,
    "json": json_event,
    "answer": answer,
    "rules": rules,
    "settings": environment,
    "reference": reference,
}
SLOW = {"rules": 100}
"""Cases of these cost so many of the others."""


# --- playing -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Broken(Exception):
    """A reader broke its law; the seed plays the case again."""

    target: str
    seed: int

    def __str__(self) -> str:
        return f"python -m tests.security.fuzzing --target {self.target} --seed {self.seed} --cases 1"


def play(target: str, seeds: Iterable[int]) -> Counter[str]:
    """What came of the cases. Raises Broken."""
    law, ends = TARGETS[target], Counter[str]()
    for seed in seeds:
        try:
            ends[law(random.Random(seed))] += 1
        except Exception as fault:
            raise Broken(target, seed) from fault
    return ends


def _until(first: int, cases: int, seconds: float) -> Iterable[int]:
    deadline = time.monotonic() + seconds
    for seed in range(first, first + cases):
        if time.monotonic() > deadline:
            return
        yield seed


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("--target", choices=TARGETS)
    asked.add_argument("--cases", type=int, default=200_000)
    asked.add_argument("--seconds", type=float, default=900)
    asked.add_argument("--seed", type=int)
    given = asked.parse_args()
    first = given.seed if given.seed is not None else secrets.randbelow(2**40)
    chosen = [given.target] if given.target else list(TARGETS)
    for target in chosen:
        cases = max(1, given.cases // SLOW.get(target, 1))
        ends = play(target, _until(first, cases, given.seconds / len(chosen)))
        shown = ", ".join(f"{end} {count}" for end, count in ends.most_common())
        print(f"{target:10} {ends.total():>8} cases from seed {first}: {shown}", flush=True)


if __name__ == "__main__":
    main()
