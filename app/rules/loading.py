"""A rules file over the packaged one → Rules, or everything that is wrong with it."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from datetime import date, datetime, time
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from app.rules import desk, terms
from app.rules.readers import ZONE
from app.rules.section import Fault, Section, Table, joined, shown
from app.rules.values import Rules
from app.sla.workdays import russian_data

WHOLE = ("hours", "open")
"""Tables that a file replaces: Friday off must not leave the packaged Friday."""

_AT_LINE = re.compile(r"(?P<what>.*) \(at (line (?P<line>\d+), column (?P<column>\d+)|end of document)\)")
_SYNTAX = {
    "Cannot overwrite": "этот ключ уже задан выше",
    "Cannot declare": "этот раздел уже есть выше",
    "Cannot mutate": "этот раздел уже есть выше",
    "Invalid value": "значение не понято; слова, сроки и даты берут в кавычки",
    "Invalid statement": "нужен «ключ = значение» или «[раздел]»; русские слова в ключах берут в кавычки",
    "Invalid initial character": "ключ с точкой, двоеточием или русскими буквами берут в кавычки",
    "Expected '=' after a key": "после ключа нужен знак «=»; ключ с пробелом или двоеточием берут в кавычки",
    "Expected newline": "лишнее после значения; каждый ключ пишут с новой строки",
    "Unclosed array": "список не закрыт: нужна «]» или запятая",
    "Unclosed inline table": "не закрыта «}» или не хватает запятой",
    "Unterminated string": "не закрыта кавычка",
    "Illegal character": "недопустимый знак или не закрыта кавычка",
    "Expected ']": "заголовок раздела не закрыт: нужна «]», у [[source]] и [[policy]] — «]]»",
    "Unescaped": "знак «\\» в кавычках пишут дважды или берут строку в одинарные кавычки",
    "Escaped character": "знак «\\» в кавычках пишут дважды или берут строку в одинарные кавычки",
    "Duplicate inline table key": "этот ключ в фигурных скобках уже задан",
    "Invalid date": "такой даты нет; даты берут в кавычки",
}
UNKNOWN_SYNTAX = "не по правилам TOML: проверьте кавычки, скобки и знак «=»"


class RulesFault(Exception):
    """The rules must be corrected; `faults` holds everything that is wrong with them."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__("Правила не приняты:\n" + "\n".join(f"  {fault}" for fault in faults))
        self.faults = faults


def load_rules(path: Path | None, *, default_since: datetime | None = None) -> Rules:
    """Read a rules file; None is the packaged sample. Raises RulesFault with every fault at once.

    `default_since` stands for a missing `desk.since`.
    """
    faults: list[Fault] = []
    tree = _over_defaults(_with_calendars(_read(path), path, faults), faults) if path else packaged()
    if default_since and "since" not in _table(tree, "desk"):
        tree = {**tree, "desk": {**_table(tree, "desk"), "since": default_since.isoformat()}}
    rules = _rules(tree, faults)
    if faults:
        raise RulesFault(tuple(faults))
    return rules


JUDGE_NOTHING = frozenset({"alerts", "chats", "closing", "data", "digest", "fields", "pace", "tasks"})
"""No term, calendar, stage or phrase stands in these sections."""


def rules_from(text: str) -> Rules:
    """The same rules again from `Rules.text`: they were good when tickets began under them.

    Later checks are not held against them. Raises RulesFault only for what cannot be understood any
    more and would be counted otherwise.
    """
    faults: list[Fault] = []
    rules = _rules(_over_defaults(json.loads(text), faults), faults, text=text)
    grave = [each for each in faults if not each.idle and each.path.split(".")[0] not in JUDGE_NOTHING]
    if grave:
        raise RulesFault(tuple(grave))
    return rules


@cache
def packaged() -> Table:
    """The rules of the package, as plain values."""
    tree: Table = _plain(tomllib.loads(files("app.rules").joinpath("rules.toml").read_text(encoding="utf-8")))
    return tree


# --- from a file to one tree -------------------------------------------------------------


def _read(path: Path) -> Table:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise RulesFault((Fault(str(path), "такого файла нет"),)) from None
    except OSError as why:
        raise RulesFault((Fault(str(path), f"файл не читается: {why.strerror}"),)) from None
    except UnicodeDecodeError:
        raise RulesFault((Fault(str(path), "файл не в UTF-8; сохраните его заново в UTF-8"),)) from None
    try:
        tree: Table = _plain(tomllib.loads(text))
    except tomllib.TOMLDecodeError as why:
        raise RulesFault((_syntax_fault(str(why), text),)) from None
    except (ValueError, RecursionError):  # a number of thousands of digits, a list in a list in a list …
        raise RulesFault((Fault(str(path), "слишком длинное число или слишком глубокие списки"),)) from None
    return tree


def _syntax_fault(told: str, text: str) -> Fault:
    """`tomllib` speaks English and hides the line in its message."""
    found = _AT_LINE.fullmatch(told)
    what = found["what"] if found else told
    known = next((words for start, words in _SYNTAX.items() if what.startswith(start)), UNKNOWN_SYNTAX)
    meaning = f"{known} ({what})"
    if not found or not found["line"]:
        return Fault("конец файла", meaning)
    line = text.splitlines()[int(found["line"]) - 1 : int(found["line"])]
    quoted = f": {line[0].strip()}" if line and line[0].strip() else ""
    return Fault(f"строка {found['line']}, знак {found['column']}", meaning + quoted)


def _plain(value: Any) -> Any:
    """TOML's own dates become the strings that JSON would hold."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, date | time) else value


def _with_calendars(tree: Table, path: Path, faults: list[Fault]) -> Table:
    """Production calendars of the desk's own move into the tree, so that it needs no file any more."""
    named = {
        name: {**table, "production_calendar": _calendar_file(path.parent / table["production_calendar"])}
        for name, table in _table(tree, "calendar").items()
        if isinstance(table, dict) and _is_file(table.get("production_calendar"))
    }
    for name, table in named.items():
        if isinstance(table["production_calendar"], str):
            faults.append(Fault(f"calendar.{name}.production_calendar", table["production_calendar"]))
            table["production_calendar"] = ""
    return {**tree, "calendar": {**_table(tree, "calendar"), **named}} if named else tree


def _is_file(production: Any) -> bool:
    return isinstance(production, str) and production not in {"", terms.RUSSIA}


def _calendar_file(path: Path) -> Any:
    """The file's tree, or a string that says why not."""
    try:
        tree = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError:
        return f"{shown(path)}: такого файла нет; нужно «{terms.RUSSIA}» или путь к файлу"
    except ValueError:
        return f"{shown(path)}: это не JSON в UTF-8"
    return tree if isinstance(tree, dict) else f"{shown(path)}: нужен JSON вида ru_workdays.json"


def _over_defaults(tree: Table, faults: list[Fault]) -> Table:
    """Tables are filled up key by key from the packaged file; sources only stand for themselves."""
    usual = {key: value for key, value in packaged().items() if key != "source"}
    for name, table in _table(tree, "calendar").items():
        if isinstance(table, dict) and table.get("hours") == terms.AROUND_THE_CLOCK:
            usual = {**usual, "calendar": {**usual["calendar"], name: {}}}
    return _filled(tree, usual, "", faults)


def _filled(own: Table, usual: Table, path: str, faults: list[Fault]) -> Table:
    filled = {**usual, **own}
    for key, value in own.items():
        if key in WHOLE or not isinstance(usual.get(key), dict):
            continue
        if isinstance(value, dict):
            filled[key] = _filled(value, usual[key], joined(path, key), faults)
        else:
            filled[key] = usual[key]
            faults.append(Fault(joined(path, key), f"{shown(value)}: нужен раздел с ключами"))
    return filled


def _with_decrees(tree: Table) -> Table:
    """The packaged production calendar moves into the tree too: a later package must not change what
    a ticket began under.
    """
    named = {
        name: {**table, "production_calendar": russian_data()}
        for name, table in _table(tree, "calendar").items()
        if isinstance(table, dict) and table.get("production_calendar") == terms.RUSSIA
    }
    return {**tree, "calendar": {**_table(tree, "calendar"), **named}}


def canonical_text(tree: Table) -> str:
    """One text for one meaning: its hash is the version."""
    return json.dumps(tree, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _table(tree: Table, key: str) -> Mapping[str, Any]:
    table = tree.get(key)
    return table if isinstance(table, dict) else {}


# --- from the tree to the rules ----------------------------------------------------------


def _rules(tree: Table, faults: list[Fault], text: str = "") -> Rules:
    root = Section(tree, "", faults)
    if not tree.get("source"):
        root.fault("не задано: нужен хотя бы один раздел [[source]], иначе ничто не обращение", "source")
    calendars = terms.calendars_of(root.section("calendar"), _zone(tree))
    classes = terms.classes_of(root.section("class"), calendars)
    canonical = text or canonical_text(_with_decrees(tree))
    rules = Rules(
        desk=desk.desk_of(root.section("desk"), calendars),
        sources=desk.sources_of(root.sections("source")),
        calendars=calendars,
        classes=classes,
        policies=terms.policies_of(root.sections("policy"), calendars, classes),
        people=desk.people_of(root.section("people")),
        chats=desk.chats_of(root.section("chats")),
        alerts=desk.alerts_of(root.section("alerts")),
        phrases=desk.phrases_of(root.section("messages")),
        closing=desk.closing_of(root.section("closing")),
        ola=desk.ola_of(root.section("ola")),
        digest=desk.digest_of(root.section("digest")),
        pace=desk.pace_of(root.section("pace")),
        fields=desk.fields_of(root.section("fields")),
        keep_words=desk.keep_words_of(root.section("data")),
        tasks=desk.tasks_of(root.section("tasks")),
        version=hashlib.sha256(canonical.encode()).hexdigest()[:12],
        text=canonical,
    )
    root.close()
    faults += [Fault(path, terms.TOO_LONG) for path in _endless(rules)]
    return rules


def _endless(rules: Rules) -> list[str]:
    """Waits to whose end some class's calendar never comes."""
    alerts, closing = rules.alerts, rules.closing
    waits = {f"alerts.unassigned.{key}": wait for key, wait in alerts.unassigned.items()}
    waits |= {f"alerts.repeat_breach.{key}": wait for key, wait in alerts.repeat_breach.items()}
    waits |= {"alerts.director_after": alerts.director_after}
    waits |= {"closing.remind": closing.remind, "closing.close_after": closing.close_after}
    waits |= {f"ola.{key}": wait for key, wait in rules.ola.items()}
    calendars = [each.calendar for each in rules.classes.values()]
    return [path for path, wait in waits.items() if not all(each.holds(wait) for each in calendars)]


def _zone(tree: Table) -> Any:
    """The desk's zone for the calendars; `desk_of` tells what is wrong with it."""
    return Section(_table(tree, "desk"), "desk", []).one("timezone", ZONE)
