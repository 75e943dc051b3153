"""Hints: which tickets' items may an activity belong to? (sla.md 3)

Mail is often bound to a contact first and to the deal a moment later, and an activity tells only
its first owner. So an activity of a client names all recent items of that client: reading one item
too many costs little, missing a reply costs an accusation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.bitrix.client import Client
from app.bitrix.config import PortalConfig
from app.bitrix.errors import PortalError, Refused
from app.bitrix.items import COMPANY_TYPE, CONTACT_TYPE, ref_of
from app.bitrix.listing import Listing, Row, complete
from app.bitrix.sweep import activity_subject
from app.bitrix.wire import PAGE, Command, number
from app.model import Hint, HintKind, ItemRef, Lane

Owners = tuple[ItemRef, ...] | PortalError
CLIENT_FIELD = {CONTACT_TYPE: "contactId", COMPANY_TYPE: "companyId"}


async def owners_of(
    client: Client, config: PortalConfig, hints: Sequence[Hint], lane: Lane
) -> Mapping[Hint, Owners]:
    """Items to read again for each hint; an error where they could not be looked up.

    A timeline comment is a note between colleagues and no evidence, and most of them are our own:
    it names nobody.
    """
    ids = sorted({hint.id for hint in hints if hint.kind is HintKind.ACTIVITY})
    chunks = [ids[start : start + PAGE] for start in range(0, len(ids), PAGE)]
    listings = [_activities(chunk) for chunk in chunks]
    await complete(client, [[listing] for listing in listings], lane)
    found: dict[int, Owners] = {}
    for chunk, listing in zip(chunks, listings, strict=True):
        if listing.error:
            found |= dict.fromkeys(chunk, listing.error)
    rows = [row for listing in listings if not listing.error for row in listing.rows]
    found |= await _by_rows(client, config, rows, lane)
    return {hint: found.get(hint.id, ()) if hint.kind is HintKind.ACTIVITY else () for hint in hints}


def _activities(ids: Sequence[int]) -> Listing:
    params = {
        "select": ["ID", "OWNER_TYPE_ID", "OWNER_ID"],
        "filter": {"@ID": list(ids)},
        "order": {"ID": "ASC"},
    }
    return Listing("crm.activity.list", params)


async def _by_rows(
    client: Client, config: PortalConfig, rows: Sequence[Row], lane: Lane
) -> dict[int, Owners]:
    found: dict[int, Owners] = {}
    of_clients: dict[tuple[int, int], list[int]] = {}
    for row in rows:
        subject, activity = activity_subject(row, config.crm_types), number(row.get("ID"))
        owner = number(row.get("OWNER_TYPE_ID")), number(row.get("OWNER_ID"))
        if isinstance(subject, ItemRef):
            found[activity] = (subject,)
        elif owner[0] in CLIENT_FIELD:
            of_clients.setdefault(owner, []).append(activity)
    for owner, owners in (await _items_of(client, config, list(of_clients), lane)).items():
        found |= dict.fromkeys(of_clients[owner], owners)
    return found


async def _items_of(
    client: Client, config: PortalConfig, owners: Sequence[tuple[int, int]], lane: Lane
) -> dict[tuple[int, int], Owners]:
    """The newest items of each contact or company, of every type that the sources know."""
    asked = [(owner, crm_type) for owner in owners for crm_type in config.crm_types]
    told = (
        await client.run_each([_newest(crm_type, owner) for owner, crm_type in asked], lane) if asked else []
    )
    found: dict[tuple[int, int], Owners] = dict.fromkeys(owners, ())
    for (owner, crm_type), one in zip(asked, told, strict=True):
        before = found[owner]
        if isinstance(one, Refused):
            continue  # a smart process without clients
        if isinstance(one, PortalError):
            found[owner] = one
        elif not isinstance(before, PortalError):
            found[owner] = (*before, *(ref_of(crm_type, number(row.get("id"))) for row in one.rows("items")))
    return found


def _newest(crm_type: int, owner: tuple[int, int]) -> Command:
    params = {
        "entityTypeId": crm_type,
        "select": ["id"],
        "filter": {CLIENT_FIELD[owner[0]]: owner[1]},
        "order": {"id": "DESC"},
        "start": -1,
        "useOriginalUfNames": "Y",
    }
    return Command("crm.item.list", params)
