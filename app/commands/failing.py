"""`failed`: work that gave up, and what a person does with it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app import words
from app.commands.speech import Mistake, needs_database, say, say_json
from app.desk import open_desk
from app.settings import Settings
from app.store.failure import Failure
from app.web import failures


async def failed(settings: Settings, verb: str, key: str, *, as_json: bool) -> bool:
    """List it, give it another chance, or let it go."""
    needs_database(settings)
    async with open_desk(settings, role="web") as desk:
        if verb == "list":
            async with desk.db.read() as conn:
                groups = (await failures.failed_work(conn)).groups
            _show_failed(groups, as_json=as_json)
            return True
        async with desk.db.begin() as conn:
            kinds = [kind for kind in failures.LABELS if _may_hold(kind, key)]
            if verb == "retry":
                count = sum([await failures.retry(conn, kind, key or None, desk.now()) for kind in kinds])
            else:
                count = sum([await failures.drop(conn, kind, key) for kind in kinds])
    if key and not count:
        raise Mistake(f"{key}: такого ключа нет; список: b24sla failed")
    say(f"{'Будет повторено' if verb == 'retry' else 'Отброшено'}: {count}")
    return True


def _may_hold(kind: str, key: str) -> bool:
    """Messages have keys with a slash, the inbox and the cards are named by a subject."""
    return not key or (kind == "outbox") == ("/" in key)


def _show_failed(groups: Any, *, as_json: bool) -> None:
    if as_json:
        say_json({kind: [_tree(failure) for failure in found] for kind, found in groups.items()})
        return
    if not any(groups.values()):
        say("Неудавшейся работы нет.")
    for kind, found in groups.items():
        for failure in found:
            say(f"{failures.LABELS[kind]}: {_failure(failure)}")


def _tree(failure: Failure) -> dict[str, Any]:
    return asdict(failure) | {"error": words.masked(failure.error)}


def _failure(failure: Failure) -> str:
    return f"{failure.key}: {words.masked(failure.error)} (попыток {failure.attempts})"
