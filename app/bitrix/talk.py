"""A chat read to its end: from the newest line back, or from a known line on (rest.md 5.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.bitrix.errors import PortalError, Refused
from app.bitrix.wire import PAGE, Answer, Command, From, Group, Told, as_map, number, unlisted

METHOD = "im.dialog.messages.get"


class Talk:
    """The messages of a dialog and the users who wrote them: all, or those after the message `after`."""

    def __init__(self, dialog: str | From, after: int = 0) -> None:
        self._dialog: str | From = dialog
        self._edge = after  # the newest message read, or going back the oldest
        self._done = False
        self.after = after
        self.messages: dict[int, Mapping[str, Any]] = {}
        self.users: dict[int, Mapping[str, Any]] = {}
        self.error: PortalError | None = None

    def next_group(self) -> Group:
        if self._done or self.error:
            return []
        params: dict[str, Any] = {"DIALOG_ID": self._dialog, "LIMIT": PAGE}
        if self._edge:
            params["FIRST_ID" if self.after else "LAST_ID"] = self._edge
        return [Command(METHOD, params)]

    def take(self, told: Sequence[Told]) -> None:
        if isinstance(told[0], PortalError):
            self.error = told[0]
            return
        self._take_page(told[0])

    def _take_page(self, answer: Answer) -> None:
        self.error = unlisted(answer, "messages", method=METHOD) or unlisted(answer, "users", method=METHOD)
        if self.error:
            return
        page = {number(row.get("id")): row for row in answer.rows("messages")}
        new = page.keys() - self.messages.keys()
        self.messages |= page
        self.users |= {number(row.get("id")): row for row in answer.rows("users")}
        # A page may hold more than asked (unread lines), so only an unfilled or stale one is the last.
        self._done = len(page) < PAGE or not new
        self._edge = (max if self.after else min)([*page, *([self._edge] if self._edge else [])], default=0)
        chat = number(as_map(answer.result).get("chat_id"))
        if chat:
            self._dialog = f"chat{chat}"
        elif not self._done and isinstance(self._dialog, From):
            self.error = Refused("chat_id", "ответ не называет чат", method=METHOD)
