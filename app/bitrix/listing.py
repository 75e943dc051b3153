"""Lists read to their last page, many at a time (rest.md 1.6).

Paging goes by id, not by offset: rows that are added meanwhile are neither skipped nor doubled.
After a full first page the next pages are asked for in one request, each beginning where the one
before it ended (wire.From), so a thousand rows take three requests and not twenty. A first page that
tells how many rows there are says how many pages to ask for; else a list is either short or long.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from app.bitrix.client import Client
from app.bitrix.errors import PortalError, Refused
from app.bitrix.wire import PAGE, Answer, Command, From, Group, Told, number, unlisted
from app.model import Lane

CHAINS = (1, 10, 40)  # pages asked for in one round: a list is either short or long
ROUNDS = 60

Row = Mapping[str, Any]


class Part(Protocol):
    """Something that takes one or more rounds to read. `error` ends it."""

    error: PortalError | None

    def next_group(self) -> Group:
        """The commands of the next round; empty when all is read."""

    def take(self, told: Sequence[Told]) -> None:
        """Their answers."""


class Single:
    """One command, one answer. `lists`: paths to what must be a list there, be it an empty one."""

    def __init__(self, command: Command, *lists: tuple[str, ...]) -> None:
        self._command: Command | None = command
        self._lists = lists
        self.answer: Answer | None = None
        self.error: PortalError | None = None

    def next_group(self) -> Group:
        return [self._command] if self._command else []

    def take(self, told: Sequence[Told]) -> None:
        self._command = None
        if isinstance(told[0], PortalError):
            self.error = told[0]
            return
        self.error = next(filter(None, (unlisted(told[0], *path) for path in self._lists)), None)
        self.answer = None if self.error else told[0]


class Listing:
    """A list method read by ascending id. `rows` is what came; complete when `error` is None."""

    def __init__(
        self,
        method: str,
        params: Mapping[str, Any],
        *,
        path: tuple[str, ...] = (),
        key: str = "ID",
        above: str = ">ID",
        where: str = "filter",
        counted: bool = True,
    ) -> None:
        """`path` leads to the rows, `key` is their id, `above` its filter inside the parameter `where`.

        `counted`: let the portal count the rows, so that a page of exactly fifty is known to be the
        last. Good for narrow filters; counting a whole table is slow (rest.md 1.6).
        """
        self._method, self._params = method, params
        self._path, self._key, self._above, self._where = path, key, above, where
        self._counted = counted
        self._last = 0
        self._round = 0
        self._left = 0  # pages that the first one's count leaves; 0: unknown
        self._done = False
        self.rows: list[Row] = []
        self.error: PortalError | None = None

    def next_group(self) -> Group:
        if self._done or self.error:
            return []
        length = min(self._left, CHAINS[-1]) or CHAINS[min(self._round, len(CHAINS) - 1)]
        return [self._page(place) for place in range(length)]

    def take(self, told: Sequence[Told]) -> None:
        first, self._round, self._left = not self._round, self._round + 1, 0
        if first and isinstance(told[0], Answer) and told[0].total:
            self._left = -(-(told[0].total - PAGE) // PAGE)
        for one in told:
            if not self._take_page(one):
                return

    def _page(self, place: int) -> Command:
        """The page that begins after the last row, or after the last row of the page before it."""
        params = dict(self._params)
        if self._round or place:
            step = "".join(f"[{name}]" for name in (*self._path, PAGE - 1, self._key))
            params[self._where] = {
                **params.get(self._where, {}),
                self._above: From(1, step) if place else self._last,
            }
        if self._round or not self._counted:
            params["start"] = -1
        return Command(self._method, params)

    def _take_page(self, told: Told) -> bool:
        """True when a further page follows."""
        if isinstance(told, PortalError):
            self.error = told
            return False
        self.error = unlisted(told, *self._path, method=self._method)
        if self.error:
            return False
        rows = told.rows(*self._path)
        if rows and number(rows[0].get(self._key)) <= self._last:
            self.error = PortalError("paging", "список не движется по номерам", method=self._method)
            return False
        self.rows += rows
        self._last = number(rows[-1].get(self._key)) if rows else self._last
        self._done = told.complete(len(rows))
        return not self._done


async def complete(client: Client, groups: Sequence[Sequence[Part]], lane: Lane) -> None:
    """Read every part to its end, as many as possible in each request.

    The parts of one group travel together in the first round: one may refer to another.
    """
    for _ in range(ROUNDS):
        waiting = [(group, [part.next_group() for part in group]) for group in groups]
        waiting = [(group, commands) for group, commands in waiting if any(commands)]
        if not waiting:
            return
        told = await client.run([[c for part in commands for c in part] for _, commands in waiting], lane)
        for (group, commands), answers in zip(waiting, told, strict=True):
            _hand_out(group, commands, answers)
    for part in (part for group in groups for part in group):
        if part.next_group():
            part.error = Refused("paging", "слишком много страниц")


def _hand_out(group: Sequence[Part], commands: Sequence[Group], answers: Sequence[Told]) -> None:
    told = iter(answers)
    for part, asked in zip(group, commands, strict=True):
        if asked:
            part.take([next(told) for _ in asked])
