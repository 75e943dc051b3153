"""The table of REST methods and what each gets to work with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import errors
from .php import listed
from .world import Application, World

Json = Any
Run = Callable[["Call"], Json]


@dataclass(frozen=True, slots=True)
class Page:
    """An answer with `total` and `next` beside `result`. None: the key is absent."""

    result: Json
    total: int | None = None
    next: int | None = None


@dataclass(frozen=True, slots=True)
class Rest:
    """A method: its name as documented, the scope it needs (empty: none), the function."""

    name: str
    scope: str
    run: Run


METHODS: dict[str, Rest] = {}


def rest(name: str, scope: str) -> Callable[[Run], Run]:
    """Enter a function in the table of methods; names are case-insensitive (rest.md 1.1)."""

    def enter(run: Run) -> Run:
        METHODS[name.lower()] = Rest(name, scope, run)
        return run

    return enter


@dataclass(frozen=True, slots=True)
class Call:
    """One method call: who calls, with what."""

    world: World
    user: int
    params: Mapping[str, Json]
    scopes: tuple[str, ...] = ()
    application: Application | None = None  # None: a webhook
    connector: str = ""  # auth_connector, the key of source

    def classic(self, name: str) -> Json:
        """A parameter of a classic method: `filter`, `FILTER`, `Filter` or `arFilter` (rest.md 1.2)."""
        for spelling in (name, name.upper(), name.capitalize(), f"ar{name.capitalize()}"):
            if spelling in self.params:
                return self.params[spelling]
        return None

    def exact(self, name: str) -> Json:
        """A parameter of a controller method, by its exact camelCase name; refused when absent."""
        if self.params.get(name) in (None, ""):
            raise errors.missing(name)
        return self.params[name]

    def position(self, number: int) -> Json:
        """A parameter of a positional method (task.commentitem.*): its name does not matter."""
        values = listed(self.params)
        return values[number] if number < len(values) else None

    def number(self, name: str) -> int:
        """An exact parameter that is a whole number."""
        value = self.exact(name)
        if not whole(value):
            text = (
                f"Invalid value {{{value}}} to match with parameter {{{name}}}. Should be value of type int."
            )
            raise errors.RestError("100", text)
        return int(value)

    @property
    def admin(self) -> bool:
        return self.world.users[self.user].admin

    def needs_admin(self, refusal: errors.RestError | None = None) -> None:
        if not self.admin:
            raise refusal or errors.no_access()

    def sees(self, kind: int | str, number: int) -> bool:
        """Whether the owner of the webhook has the right to read the record."""
        return (kind, number) not in self.world.hidden


def whole(value: Json) -> bool:
    """Whether a value is a whole number as PHP sees it: 5, "5", but not "5a"."""
    if isinstance(value, bool):
        return False
    return isinstance(value, int) or (isinstance(value, str) and value.strip().lstrip("-").isdigit())


def integer(value: Json) -> int:
    """PHP's (int): what is not a number is 0."""
    return int(value) if whole(value) else 0


def yes(value: Json) -> bool:
    return value in (True, 1, "1", "Y", "y", "true")


def mapping(value: Json) -> dict[str, Json]:
    """A parameter that must be a map; PHP's empty array is an empty map."""
    if isinstance(value, dict):
        return value
    if isinstance(value, list):
        return {str(number): item for number, item in enumerate(value)}
    return {}
