"""A table of the rules file as it is read: each key once, faults gathered, what nobody read is unknown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Generic, TypeVar

T = TypeVar("T")
Table = Mapping[str, Any]

FEW = 15
_BARE = re.compile(r"[A-Za-z0-9_-]+(\[\d+\])?")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: the key's path in the file, what was found and what was expected."""

    path: str
    problem: str
    idle: bool = field(default=False, compare=False)  # it changes nothing of what the rules mean

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}" if self.path else self.problem


@dataclass(frozen=True, slots=True)
class Reader(Generic[T]):
    """How one kind of value is read. `read` raises ValueError, with a text or without one."""

    expected: str
    read: Callable[[Any], T]
    instead: T
    """Stands for a value that could not be read, so that the rest can be looked at too."""


class Section:
    """One table. Readers note faults and go on; `close` notes the keys that nobody asked for."""

    def __init__(self, table: Table, path: str, faults: list[Fault]) -> None:
        self._table = table
        self._path = path
        self._faults = faults
        self._known: list[str] = []

    @property
    def path(self) -> str:
        """Where in the file this table stands."""
        return self._path

    @property
    def keys(self) -> tuple[str, ...]:
        """What the table holds, known or not."""
        return tuple(self._table)

    def fault(self, problem: str, *keys: str) -> None:
        """Note that something is wrong with the key that `keys` lead to; without keys, with the table."""
        self._faults.append(Fault(joined(self._path, *keys), problem))

    def idle(self, problem: str, *keys: str) -> None:
        """Note what a person should put right although nothing would be counted otherwise."""
        self._faults.append(Fault(joined(self._path, *keys), problem, idle=True))

    def get(self, key: str) -> Any:
        """The value as it stands; None if there is none."""
        if key not in self._known:
            self._known.append(key)
        return self._table.get(key)

    def one(self, key: str, reader: Reader[T]) -> T:
        """A value that must be there."""
        if self.get(key) is None:
            self.fault(f"не задано: {reader.expected}", key)
            return reader.instead
        return self._read(key, self.get(key), reader)

    def maybe(self, key: str, reader: Reader[T]) -> T | None:
        """A value that may be missing."""
        return None if self.get(key) is None else self.one(key, reader)

    def many(self, key: str, reader: Reader[T]) -> tuple[T, ...]:
        """A list, each element read; a missing one is empty."""
        values = self.get(key)
        if values is None:
            return ()
        if not isinstance(values, list):
            self.fault(f"{shown(values)}: нужен список в квадратных скобках", key)
            return ()
        places = (f"{key}[{number}]" for number in range(1, len(values) + 1))
        return tuple(self._read(place, value, reader) for place, value in zip(places, values, strict=True))

    def section(self, key: str) -> Section:
        """A table inside; a missing one is empty."""
        return self._inner(key, self.get(key))

    def sections(self, key: str) -> tuple[Section, ...]:
        """`[[key]]`, numbered from one in the paths."""
        tables = self.get(key) or []
        if not isinstance(tables, list):
            self.fault(f"{shown(tables)}: нужны разделы [[{key}]]", key)
            return ()
        return tuple(self._inner(f"{key}[{number}]", table) for number, table in enumerate(tables, 1))

    def named(self) -> dict[str, Section]:
        """Tables whose names the file chooses: `[calendar.<name>]`."""
        return {name: self.section(name) for name in self._table}

    def values(self, reader: Reader[T]) -> dict[str, T]:
        """A table whose keys the file chooses."""
        return {key: self.one(key, reader) for key in self._table}

    def close(self) -> None:
        """Note every key that nobody asked for: it is a slip of the pen."""
        for key in self._table:
            if key not in self._known:
                self.fault(f"такого ключа нет{hint(key, self._known)}", key)

    def _inner(self, key: str, table: Any) -> Section:
        if table is not None and not isinstance(table, dict):
            self.fault(f"{shown(table)}: нужен раздел с ключами", key)
        return Section(table if isinstance(table, dict) else {}, joined(self._path, key), self._faults)

    def _read(self, key: str, value: Any, reader: Reader[T]) -> T:
        try:
            return reader.read(value)
        except ValueError as why:
            self.fault(f"{shown(value)}: {str(why) or reader.expected}", key)
            return reader.instead


def joined(path: str, *keys: str) -> str:
    """`class.standard` + `resolve`; a key that needs quotes in TOML gets them."""
    quoted = (key if _BARE.fullmatch(key) else f'"{key}"' for key in keys)
    return ".".join(filter(None, (path, *quoted)))


def hint(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or all of them if they are few."""
    names = {str(name).lower(): str(name) for name in known}
    near = get_close_matches(word.lower(), names, n=1)
    if near:
        return f", возможно, вы имели в виду «{names[near[0]]}»"
    return f"; есть {', '.join(names.values())}" if 0 < len(names) <= FEW else ""


def shown(value: Any) -> str:
    """What was found, shortly, as the file has it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "раздел"
    if isinstance(value, list):
        return "список"
    text = str(value)
    return f"«{text[:60]}…»" if len(text) > 60 else f"«{text}»"
