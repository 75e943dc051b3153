"""What people changed on cards between our last reading and our own write.

The CRM tells only who wrote last: once our stamp has landed, that is us, and a head's extension would look
like nobody's wish, or be written over. So the request that stamps cards looks at them first: one list at its
head names, for each, the last writer before us and what the people's fields held. Cards that were never
stamped before need no look: nothing on them is an answer to us yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.bitrix.fields import Entity, UnknownOption, crm_sla
from app.bitrix.listing import Row
from app.bitrix.results import Sighting, StampWork
from app.bitrix.stamping import same
from app.bitrix.times import instant
from app.bitrix.wire import BATCH, Answer, Command, Told, number

TOGETHER = BATCH - 1  # cards of one request, beside the look at them


def is_known(work: StampWork) -> bool:
    """Whether the card has carried our stamp: only then may what people wrote answer it."""
    return bool(work.before.get("SLA_CLASS"))


def look(entity: Entity, works: Sequence[StampWork]) -> Command:
    """The cards as they are before we write."""
    codes = {code for work in works for code in work.before}
    names = [name for code, name in entity.names.items() if code in codes]
    return Command(
        "crm.item.list",
        {
            "entityTypeId": entity.crm_type,
            "select": ["id", "updatedBy", "updatedTime", *names],
            "filter": {"@id": [work.ref.id for work in works]},
            "order": {"id": "ASC"},
            "start": -1,
            "useOriginalUfNames": "Y",
        },
    )


def sighted(work: StampWork, entity: Entity, looked: Told) -> Sighting | None:
    """What somebody else had written on this card; None: nothing that we did not know."""
    row = _row(work, looked)
    if row is None:
        return None
    try:
        held = crm_sla(entity, row)
    except UnknownOption:
        return None
    changed = {
        code: value for code, value in held.items() if code in work.before and _is_news(work, code, value)
    }
    if not changed:
        return None
    return Sighting(changed, number(row.get("updatedBy")) or None, instant(row.get("updatedTime")))


def _row(work: StampWork, looked: Told) -> Row | None:
    rows: Sequence[Mapping[str, Any]] = looked.rows("items") if isinstance(looked, Answer) else []
    return next((row for row in rows if number(row.get("id")) == work.ref.id), None)


def _is_news(work: StampWork, code: str, value: str) -> bool:
    """Neither what we knew, nor what we have tried or are about to write."""
    known = [work.before[code], *(some[code] for some in (work.tried, work.wanted) if code in some)]
    return not any(same(code, value, one) for one in known)
