"""The judge: every call's parameters are compared with the vendor's published ones.

`spec.json` is condensed from the vendor's specs: method → [params, fields]; a parameter is [name, base type,
required]; fields: parameter → [whether other names are allowed, [field, …]].
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from .php import listed
from .profile import MOSCOW
from .times import read_instant

Param = tuple[str, str, bool]


@cache
def published() -> dict[str, Any]:
    text = files(__package__).joinpath("spec.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def _number(value: Any) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return not isinstance(value, bool)


def _instant(value: Any) -> bool:
    return value in ("", None) or read_instant(value, MOSCOW) is not None


_FITS: dict[str, Callable[[Any], bool]] = {
    "integer": lambda value: value == "" or (_number(value) and float(value).is_integer()),
    "number": _number,
    "double": lambda value: value == "" or _number(value),
    "string": lambda value: isinstance(value, (str, int, float)) and not isinstance(value, bool),
    "boolean": lambda value: value in (True, False, 0, 1, "0", "1", "Y", "N", "true", "false"),
    "char": lambda value: isinstance(value, bool) or value in ("Y", "N", "I", "E", "S", ""),
    "object": lambda value: isinstance(value, (dict, list)),
    "array": lambda value: isinstance(value, (dict, list)),
    "datetime": _instant,
    "date": _instant,
}
_LOOSE = frozenset(
    "ATTACH KEYBOARD MENU FILTER LIST_FILTER_LABEL LIST_COLUMN_LABEL EDIT_FORM_LABEL ERROR_MESSAGE "
    "HELP_MESSAGE editFormLabel helpMessage".split()
)
"""Documented as a structure or a string, though the extracted spec says only one of them."""


@dataclass(slots=True)
class Judge:
    """Collects what does not fit, a line each; the calls are served nevertheless."""

    faults: list[str] = field(default_factory=list)

    def check(self, method: str, params: dict[str, Any]) -> None:
        spec = published().get(method.lower())
        if spec is None:
            return
        found = _Check(method, classic=method.startswith("crm.") and not _exact(method))
        found.names(spec[0], params, method if not _positional(method) else None)
        for name, (open_, names) in spec[1].items():
            inner = found.value(params, name)
            if isinstance(inner, dict):
                found.fields(name, open_, names, inner)
        self.faults += [one for one in found.faults if one not in self.faults]


def _exact(method: str) -> bool:
    return method.lower().startswith(
        ("crm.item.", "crm.type.", "crm.category.", "crm.timeline.", "crm.activity.todo")
    )


def _positional(method: str) -> bool:
    return method.lower().startswith("task.commentitem.")


@dataclass(slots=True)
class _Check:
    method: str
    classic: bool
    faults: list[str] = field(default_factory=list)

    def plain(self, name: str) -> str:
        """A parameter's name to compare by: classic methods take four spellings."""
        return name.lower().removeprefix("ar") if self.classic and name.lower() != "array" else name

    def value(self, params: dict[str, Any], name: str) -> Any:
        return next((value for key, value in params.items() if self.plain(key) == self.plain(name)), None)

    def names(self, known: Iterable[Param], params: dict[str, Any], unknown_in: str | None) -> None:
        by_name = {self.plain(name): (name, base, required) for name, base, required in known}
        for key, value in params.items():
            if self.plain(key) not in by_name and unknown_in and not _allowed_beside(self.method, key):
                self.faults.append(f"{self.method}: unknown parameter {key}")
            elif self.plain(key) in by_name:
                self.type(key, by_name[self.plain(key)][1], value)
        given = {self.plain(key) for key in params}
        for plain, (name, _, required) in by_name.items():
            if required and plain not in given and unknown_in:
                self.faults.append(f"{self.method}: required parameter {name} is missing")

    def fields(self, parameter: str, open_: bool, known: Iterable[Param], given: dict[str, Any]) -> None:
        by_name = {name: (base, required) for name, base, required in known}
        for key, value in given.items():
            if key in by_name:
                self.type(f"{parameter}.{key}", by_name[key][0], value)
            elif not open_ and not key.lower().startswith(("uf", "parent")):
                self.faults.append(f"{self.method}: unknown field {parameter}.{key}")
        for name, (_, required) in by_name.items():
            if required and name not in given:
                self.faults.append(f"{self.method}: required field {parameter}.{name} is missing")

    def type(self, name: str, base: str, value: Any) -> None:
        fits = _FITS.get(base)
        if value is None or fits is None or name.rsplit(".", maxsplit=1)[-1] in _LOOSE or fits(value):
            return
        if str(value).startswith("$result["):  # of a command that was refused: no caller's fault
            return
        self.faults.append(f"{self.method}: {name} is not {base}: {str(value)[:60]!r}")


def _allowed_beside(method: str, key: str) -> bool:
    """Keys that any call may carry, and the filters that stand at the top level of user.get."""
    filters = method.lower() == "user.get" and key.isupper()
    return filters or key in ("auth", "access_token", "auth_connector")


def named_methods(commands: Any) -> list[str]:
    """The methods that a batch names, lower case."""
    return [str(one).split("?", 1)[0].strip("/").lower() for one in listed(commands)]
