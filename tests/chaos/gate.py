"""The portal's door: who stands there hears all that is said, and may kill a process at a chosen request."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.demo.portal import EmulatedPortal

CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Heard:
    """Something that the service said, at the instant at which the portal had it."""

    at: datetime
    to: str  # a person's number, or CHAT
    text: str
    number: int  # of the message or notice
    tag: str = ""  # a notice replaces the former of its tag
    edited: bool = False
    answered: bool = False  # the service learnt of its success


class _Kept(dict[int, Any]):
    """The portal's messages or notices, telling of each new one: what is replaced was said too."""

    def __init__(self, held: dict[int, Any], tell: Callable[[Any], None]) -> None:
        super().__init__(held)
        self._tell = tell

    def __setitem__(self, number: int, one: Any) -> None:
        super().__setitem__(number, one)
        self._tell(one)


_SAID_NOW: ContextVar[list[Heard] | None] = ContextVar("what this request has said", default=None)


class Ear:
    """Hears every notice of one user of the portal, and all that is said in one chat.

    People are silent there: the service speaks as its bot.
    """

    def __init__(self, portal: EmulatedPortal, author: int, dialog: str) -> None:
        self.heard: list[Heard] = []
        self._portal, self._author, self._dialog = portal, author, dialog
        self._texts: dict[int, str] = {}
        world = portal.world
        world.notices = _Kept(world.notices, self._notice)
        world.messages = _Kept(world.messages, self._message)

    def _notice(self, one: Any) -> None:
        if one.author == self._author:
            self._note(Heard(one.at, str(one.user), one.text, one.id, one.tag))

    def _message(self, one: Any) -> None:
        if f"chat{one.chat}" == self._dialog:
            self._texts[one.id] = one.text
            self._note(Heard(one.at, CHAT, one.text, one.id))

    def _note(self, one: Heard) -> None:
        said = _SAID_NOW.get()
        if said is not None:
            said.append(one)

    def hear_out(self, said: list[Heard], *, answered: bool) -> None:
        """The request is over."""
        said += self._edited()
        self.heard += [replace(one, answered=answered) for one in said]

    def _edited(self) -> list[Heard]:
        messages, now = self._portal.world.messages, self._portal.world.now()
        changed = {n: messages[n].text for n, text in self._texts.items() if messages[n].text != text}
        self._texts |= changed
        return [Heard(now, CHAT, text, number, edited=True) for number, text in changed.items()]


@dataclass(slots=True)
class Gate:
    """Before the portal's application. Killed is before the request is done, or before it is answered."""

    portal: EmulatedPortal
    ear: Ear
    countdown: int | None = None
    after: bool = False
    strike: Callable[[], None] = field(default=lambda: None)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.portal.app(scope, receive, send)
            return
        strikes = self._is_time()
        if strikes and not self.after:
            self.strike()
            return
        said: list[Heard] = []
        token = _SAID_NOW.set(said)
        answer = _Answer(send, lost=strikes)
        await self.portal.app(scope, receive, answer)
        _SAID_NOW.reset(token)
        self.ear.hear_out(said, answered=answer.is_whole)
        if strikes:
            self.strike()

    def _is_time(self) -> bool:
        if self.countdown is None:
            return False
        self.countdown -= 1
        if self.countdown > 0:
            return False
        self.countdown = None
        return True


class _Answer:
    """What goes back, and whether anybody can make sense of it. `lost`: the work is done, nobody hears."""

    def __init__(self, send: Any, *, lost: bool) -> None:
        self._send, self._lost = send, lost
        self._body = b""

    async def __call__(self, message: Any) -> None:
        self._body += message.get("body", b"")
        if not self._lost:
            await self._send(message)

    @property
    def is_whole(self) -> bool:
        try:
            return not self._lost and "result" in json.loads(self._body)
        except ValueError:
            return False
