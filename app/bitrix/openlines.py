"""What a client and our operators said in a messenger (sla.md 3).

An activity names its session, and a session's history comes whole in one answer. No outgoing
webhook tells of its messages, so the sweep looks into the sessions that were open at the last
reading: the cursor holds each one's newest message.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.bitrix.errors import Misconfigured, Refused, RetryLater
from app.bitrix.listing import Row, Single
from app.bitrix.results import Cursor
from app.bitrix.speech import is_open_line
from app.bitrix.times import instant
from app.bitrix.wire import Answer, Command, as_list, as_map, number
from app.model import Side, Utterance

HISTORY = "imopenlines.session.history.get"
UNREADABLE = ("openline_unread", "replies_unreadable")
MARK = "line:"  # of a session in a cursor
BY_THE_LINE = "bx-messenger-content-item-ol"  # class of greetings, ratings, «dialogue is over»

Sessions = Mapping[int, Single]


def session_of(row: Row) -> int:
    """The session behind an activity; 0 when it tells none."""
    return number(row.get("ASSOCIATED_ENTITY_ID"))


def history(session: int) -> Single:
    """The whole talk of a session, to be read."""
    return Single(Command(HISTORY, {"SESSION_ID": session}), ("message",), ("users",))


def line_talk(
    activities: Iterable[Row], sessions: Sessions, robots: Collection[int], read_at: datetime
) -> tuple[tuple[Utterance, ...], tuple[str, ...]]:
    """What was said in an item's sessions, and notes. Raises PortalError when it may come later.

    A session that we may not read leaves a note: then the stage alone tells of replies.
    """
    said: dict[str, Utterance] = {}
    notes: tuple[str, ...] = ()
    for row in filter(is_open_line, activities):
        answer = _answer(sessions.get(session_of(row)), session_of(row), read_at)
        if answer is None:
            notes = UNREADABLE
            continue
        said |= {spoken.key: spoken for spoken in _utterances(answer, robots)}
    return tuple(said.values()), notes


def line_cursor(activities: Iterable[Row], sessions: Sessions) -> dict[str, int]:
    """Each open session with its newest message. A closed one that goes on changes its activity."""
    lines = [row for row in activities if is_open_line(row) and row.get("COMPLETED") != "Y"]
    read = {session_of(row): sessions.get(session_of(row)) for row in lines}
    return {f"{MARK}{n}": newest(one.answer) for n, one in read.items() if one and one.answer}


def checks(cursors: Iterable[Cursor]) -> dict[int, Single]:
    """The histories to look into, each once."""
    marks = {name for cursor in cursors for name in cursor if name.startswith(MARK)}
    return {session: history(session) for session in sorted(int(n.removeprefix(MARK)) for n in marks)}


def goes_on(cursor: Cursor, sessions: Sessions) -> bool:
    """Whether a session has messages that the last reading did not know."""
    read = {name: sessions.get(int(name.removeprefix(MARK))) for name in cursor if name.startswith(MARK)}
    return any(one and one.answer and newest(one.answer) > cursor[name] for name, one in read.items())


def newest(answer: Answer) -> int:
    """The number of the last message."""
    return max((number(row.get("id")) for row in _messages(answer)), default=0)


def _answer(part: Single | None, session: int, read_at: datetime) -> Answer | None:
    if not session:
        return None
    if part is None or (part.answer is None and part.error is None):
        raise RetryLater("openline", "сессия появилась во время чтения", at=read_at, method=HISTORY)
    if isinstance(part.error, Refused | Misconfigured):
        return None
    if part.error:
        raise part.error
    return part.answer


def _messages(answer: Answer) -> Sequence[Row]:
    return [as_map(row) for row in _values(answer, "message")]


def _values(answer: Answer, name: str) -> list[Any]:
    """A map by number, or the list that PHP makes of it."""
    found = as_map(answer.result).get(name)
    return list(found.values()) if isinstance(found, Mapping) else as_list(found)


def _utterances(answer: Answer, robots: Collection[int]) -> list[Utterance]:
    people = {number(as_map(row).get("id")): as_map(row) for row in _values(answer, "users")}
    rows = sorted(_messages(answer), key=lambda row: number(row.get("id")))
    said = [_utterance(row, people, robots) for row in rows]
    return [spoken for spoken in said if spoken]


def _utterance(row: Row, people: Mapping[int, Row], robots: Collection[int]) -> Utterance | None:
    """A line of a session; the line's own ones (`senderid` 0) are left out."""
    at, speaker = instant(row.get("date")), number(row.get("senderid"))
    if at is None or not speaker:
        return None
    person, by_line = people.get(speaker, {}), _is_by_the_line(row)
    is_client = person.get("connector") is True
    side = Side.CLIENT if is_client else _ours(speaker, person, robots)
    side = Side.NOBODY if by_line else side
    author = None if is_client else speaker
    text = str(row.get("text") or "")
    return Utterance(f"openline:{number(row.get('id'))}", at, side, "openline", author, text)


def _is_by_the_line(row: Row) -> bool:
    return str(as_map(row.get("params")).get("class") or "").startswith(BY_THE_LINE)


def _ours(speaker: int, person: Row, robots: Collection[int]) -> Side:
    """Nobody's are the words of bots, robots, and of those whom the answer does not describe."""
    return Side.NOBODY if not person or person.get("bot") is True or speaker in robots else Side.OURS
