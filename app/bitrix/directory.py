"""What changes rarely on the portal and is remembered: fields by entity, names of clients, people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from app.bitrix.access import Access
from app.bitrix.card_fields import BY_CODE, FieldKind
from app.bitrix.client import Client, Clock
from app.bitrix.config import PortalConfig
from app.bitrix.errors import Misconfigured, Refused, RetryLater
from app.bitrix.fields import Entity, entity_of, options_of
from app.bitrix.items import COMPANY_TYPE, CONTACT_TYPE, client_name
from app.bitrix.listing import Listing, Single, complete
from app.bitrix.wire import Answer, Command, From, Group, Told, as_list, as_map, number
from app.model import DEAL_TYPE, ItemRef, Lane, Person

FRESH = timedelta(hours=1)
RELEARN = timedelta(minutes=1)  # an option that stays unknown is not asked for at every reading
NAME_FIELDS = {"contact": ["id", "name", "lastName"], "company": ["id", "title"]}
MOST_GUESSED = 10_000  # cards; the client of one that was forgotten is guessed anew
MOST_NAMES = 20_000  # of clients; many more than are in hand at once
NAME_TYPES = {"contact": CONTACT_TYPE, "company": COMPANY_TYPE}


@dataclass(frozen=True, slots=True)
class Names:
    """Lists of clients' names by prefix: contact, company."""

    listings: Mapping[str, Sequence[Listing]]

    @property
    def parts(self) -> list[Listing]:
        return [part for parts in self.listings.values() for part in parts]


class Directory:
    """Remembered answers. Everything is read again after an hour, or sooner when it proves stale."""

    def __init__(self, client: Client, config: PortalConfig, clock: Clock, access: Access) -> None:
        self._client, self._config, self._clock, self._access = client, config, clock, access
        self._entities: dict[int, tuple[datetime, Entity]] = {}
        self.names: dict[str, str] = {}  # "contact:5" → name; those wanted last are the last
        self._named_at: dict[str, datetime] = {}
        self._guessed: dict[ItemRef, datetime] = {}  # cards, and when their client was asked for with them
        self.outsiders: frozenset[int] = frozenset()  # users who are no employees
        self._people: set[int] = set()  # of whom we know whether they are employees
        self.bot_id = 0

    @property
    def us(self) -> int:
        """Whom we act as; 0: not known yet."""
        return self._access.user

    def are_employees(self, ids: Collection[int]) -> bool:
        """Whether all of these are known as our employees or robots."""
        inside = (self._people - self.outsiders) | set(self.robots)
        return set(ids) - {0} <= inside

    @property
    def robots(self) -> Collection[int]:
        """Whose words are nobody's: the configured robots, whom we act as, our bot."""
        return {*self._config.robots, self._access.user, self.bot_id} - {0}

    async def entity(self, crm_type: int, lane: Lane, *, stale: bool = False) -> Entity:
        """The fields of deals or of a smart process. Raises PortalError."""
        learnt = self._entities.get(crm_type)
        age = self._clock.now() - learnt[0] if learnt else FRESH
        if learnt and age < (RELEARN if stale else FRESH):
            return learnt[1]
        entity = await self._learn(crm_type, lane)
        self._entities[crm_type] = (self._clock.now(), entity)
        return entity

    def forget_fields(self) -> None:
        """Fields were created or changed: learn them again."""
        self._entities.clear()

    async def _learn(self, crm_type: int, lane: Lane) -> Entity:
        params = {"entityTypeId": crm_type, "useOriginalUfNames": "Y"}
        guessed = _guessed_lists(crm_type, self._config)
        asked = [[Command("crm.item.fields", params)], *(_option_group(crm_type, n) for n in guessed)]
        [described], *options = await self._client.run(asked, lane)
        if not isinstance(described, Answer):
            raise described
        fields = as_map(as_map(described.result).get("fields"))
        entity = entity_of(crm_type, fields, self._config.fields)
        known = dict(zip(guessed, (answers[-1] for answers in options), strict=True))
        return replace(entity, options=await self._options(entity, known, lane))

    async def _options(
        self, entity: Entity, known: Mapping[str, Told], lane: Lane
    ) -> dict[str, dict[str, str]]:
        """SLA field → option id → XML_ID; `known` lists came with the fields, the others in one request."""
        lists = {code: n for code, n in entity.names.items() if BY_CODE[code].kind is FieldKind.LIST}
        rest = [name for name in map(entity.original, lists.values()) if name not in known]
        groups = [_option_group(entity.crm_type, name) for name in rest]
        told = await self._client.run(groups, lane) if groups else []
        answers = {**known, **dict(zip(rest, (each[-1] for each in told), strict=True))}
        found = {}
        for code, name in lists.items():
            rows = _option_rows(answers[entity.original(name)])
            labelled = [{"ID": i, "VALUE": label} for i, label in entity.labels.get(name, {}).items()]
            found[name] = options_of(code, rows or labelled)
        return found

    def guessed_names(self, ref: ItemRef) -> dict[str, Single]:
        """The client of a card that is read in the same request, right before these; hourly for each."""
        now = self._clock.now()
        if ref in self._guessed and now - self._guessed[ref] < FRESH:
            return {}
        self._guessed.pop(ref, None)
        self._guessed[ref] = now
        if len(self._guessed) > MOST_GUESSED:
            del self._guessed[next(iter(self._guessed))]
        return {prefix: _guess(prefix, place) for place, prefix in enumerate(NAME_TYPES, 1)}

    def learn_guessed(self, guesses: Mapping[str, Single]) -> None:
        """A card without a client has answered nothing, and that is no error."""
        for prefix, part in guesses.items():
            for row in part.answer.rows("items") if part.answer else ():
                self._learn_name(prefix, row)

    def unknown_names(self, keys: Iterable[str]) -> Names:
        """Names of contacts and companies that we do not know, or not since an hour, to be read.

        In vain is no error: an old name stands until a new one has come.
        """
        wanted, now = set(keys), self._clock.now()
        for key in sorted(wanted & self.names.keys()):
            self.names[key] = self.names.pop(key)
        fresh = {key for key in wanted if key in self.names and now - self._named_at[key] < FRESH}
        unknown = sorted(wanted - fresh)
        return Names(
            {
                prefix: _name_listing(prefix, [int(key.partition(":")[2]) for key in group])
                for prefix in NAME_TYPES
                if (group := [key for key in unknown if key.startswith(f"{prefix}:")])
            }
        )

    def learn_names(self, read: Names) -> None:
        """Remember the names that came."""
        for prefix, parts in read.listings.items():
            for row in (row for part in parts for row in part.rows):
                self._learn_name(prefix, row)

    def _learn_name(self, prefix: str, row: Mapping[str, Any]) -> None:
        key = f"{prefix}:{number(row.get('id'))}"
        self.names.pop(key, None)
        self.names[key], self._named_at[key] = client_name(prefix, row), self._clock.now()
        if len(self.names) > MOST_NAMES:
            first = next(iter(self.names))
            del self.names[first], self._named_at[first]

    async def people(self, lane: Lane) -> list[Person]:
        """Everybody on the portal. Raises PortalError."""
        params = {"sort": "ID", "order": "ASC", "FILTER": {}, "select": list(PERSON_FIELDS)}
        users = Listing("user.get", params, where="FILTER", counted=False)
        await complete(self._client, [[users]], lane)
        if users.error:
            raise users.error
        found = [person_of(row) for row in users.rows]
        self.outsiders = frozenset(person.id for person in found if not person.employee)
        self._people = {person.id for person in found}
        return found

    def strangers(self, ids: Collection[int]) -> dict[int, Single]:
        """What to ask about users unknown so far: user.get leaves out whoever writes by e-mail."""
        unknown = set(ids) - self._people - set(self.robots)
        params = {"select": list(PERSON_FIELDS)}
        return {
            one: Single(Command("user.get", {"FILTER": {"ID": one}, **params})) for one in sorted(unknown)
        }

    def learn_strangers(self, asked: Mapping[int, Single]) -> None:
        """Whom the portal does not name is no employee. What may be answered later stays unknown."""
        for one, part in asked.items():
            if isinstance(part.error, RetryLater):
                continue
            self._people.add(one)
            if part.answer and not any(person_of(row).employee for row in part.answer.rows()):
                self.outsiders |= {one}


PERSON_FIELDS = ("ID", "ACTIVE", "NAME", "LAST_NAME", "USER_TYPE")


def person_of(row: Mapping[str, Any]) -> Person:
    """«Иванова А.»; a user without a name is called by the number."""
    last, first = str(row.get("LAST_NAME") or "").strip(), str(row.get("NAME") or "").strip()
    name = f"{last} {first[0]}." if last and first else last or first
    user_id = number(row.get("ID"))
    return Person(
        user_id,
        name or f"сотрудник № {user_id}",
        active=str(row.get("ACTIVE", True)) in {"True", "true", "Y", "1"},
        employee=str(row.get("USER_TYPE") or "employee") == "employee",
    )


def _guessed_lists(crm_type: int, config: PortalConfig) -> list[str]:
    """What a deal's lists are most likely called, so that one request learns fields and options."""
    if crm_type != DEAL_TYPE:
        return []
    codes = [code for code, card_field in BY_CODE.items() if card_field.kind is FieldKind.LIST]
    return [config.fields.get(code, f"UF_CRM_{code}") for code in codes]


def _option_group(crm_type: int, name: str) -> Group:
    """Deals tell options with their XML_ID in a list, smart items only one field at a time."""
    if crm_type == DEAL_TYPE:
        return [Command("crm.deal.userfield.list", {"filter": {"FIELD_NAME": name}})]
    wanted = {"moduleId": "crm", "filter": {"entityId": user_field_entity(name), "fieldName": name}}
    found = {"moduleId": "crm", "id": From(1, "[fields][0][id]")}
    return [Command("userfieldconfig.list", wanted), Command("userfieldconfig.get", found)]


def user_field_entity(name: str) -> str:
    """UF_CRM_7_SLA_CLASS belongs to CRM_7."""
    return "CRM_" + name.split("_")[2]


def _option_rows(told: Told) -> list[Mapping[str, Any]]:
    """The options with their XML_ID; none where we may not see the settings: labels must do then."""
    if isinstance(told, Refused | Misconfigured):
        return []
    if not isinstance(told, Answer):
        raise told
    if isinstance(told.result, list):
        return [row for field in told.rows() for row in as_list(field.get("LIST"))]
    return [row for row in as_list(as_map(as_map(told.result).get("field")).get("enum")) if row]


def _guess(prefix: str, back: int) -> Single:
    """`back`: how many places before it the card is asked for."""
    client = From(back, f"[items][0][{prefix}Id]")
    which = {"entityTypeId": NAME_TYPES[prefix], "select": NAME_FIELDS[prefix]}
    return Single(Command("crm.item.list", {**which, "filter": {"id": client}, "start": -1}))


def _name_listing(prefix: str, ids: list[int]) -> list[Listing]:
    chunks = [ids[start : start + 50] for start in range(0, len(ids), 50)]
    return [
        Listing(
            "crm.item.list",
            {
                "entityTypeId": NAME_TYPES[prefix],
                "select": NAME_FIELDS[prefix],
                "filter": {"@id": chunk},
                "order": {"id": "ASC"},
            },
            path=("items",),
            key="id",
            above=">id",
        )
        for chunk in chunks
    ]
