"""What the adapter is told about the desk, in its own words: the desk builds it from settings and rules."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from app.bitrix.access import Access, Webhook
from app.bitrix.card_fields import EVERY_FIELD, FIELDS, CardField
from app.bitrix.limits import AUTO, SHARE
from app.model import ItemRef, Kind


class ReadFields(Protocol):
    """Where things stand on a card ([source.read] of the rules): names of fields."""

    @property
    def text(self) -> Sequence[str]: ...
    @property
    def client(self) -> Sequence[str]: ...
    @property
    def object(self) -> str: ...
    @property
    def channel(self) -> str: ...


@dataclass(frozen=True, slots=True)
class NativeFields:
    """The defaults of [source.read]: what every portal has (contract.md 4)."""

    text: tuple[str, ...] = ("TITLE", "COMMENTS", "SOURCE_DESCRIPTION", "first_message")
    client: tuple[str, ...] = ("CONTACT_ID", "COMPANY_ID")
    object: str = ""
    channel: str = "SOURCE_ID"


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """One [[source]]: which items it holds and how to read them."""

    kind: Kind
    category: int | None = None  # None: every funnel
    entity_type: int | None = None
    group: int | None = None  # None: every project
    read: ReadFields = field(default_factory=NativeFields)
    stages: Collection[str] = ()  # the stages that the rules name, for `check`

    @property
    def crm_type(self) -> int:
        """The entityTypeId for crm.* methods; 0 for tasks."""
        entity = {Kind.DEAL: 2, Kind.TASK: 0}.get(self.kind)
        return entity if entity is not None else self.entity_type or 0


@dataclass(frozen=True, slots=True)
class PortalConfig:
    """Everything that the adapter needs to know. The webhook's address is a secret."""

    webhook: str = field(repr=False)  # empty with an application
    sources: tuple[SourceConfig, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)  # SLA_* code → a field's name, overrides only
    robots: Collection[int] = ()
    ca_file: Path | None = None
    dry_run: bool = False
    language: str = "ru"
    extra: tuple[str, ...] = ()  # fields that [[policy]] looks at
    chats: Mapping[str, str] = field(default_factory=dict)  # by their names in [chats]; "": nowhere
    people: Mapping[str, Collection[int]] = field(default_factory=dict)  # by their names in [people]
    colleagues: Collection[int] = ()  # people whom the rules name: none of them may own the webhook
    waiver: bool = False  # whether the cards have a field for the head's waiver
    since: datetime | None = None  # how far the first sweep looks back, at least a day
    tariff: str = AUTO  # of limits.TARIFFS, or found out
    share: float = SHARE  # of the address's budget of requests
    application: Access | None = field(default=None, repr=False)

    @property
    def access(self) -> Access:
        """The application, or the webhook."""
        return self.application or Webhook(self.webhook)

    @property
    def card_fields(self) -> tuple[CardField, ...]:
        """The fields that the desk's cards should have."""
        return EVERY_FIELD if self.waiver else FIELDS

    @property
    def crm_types(self) -> tuple[int, ...]:
        """The entityTypeIds of all sources, each once."""
        return tuple(dict.fromkeys(source.crm_type for source in self.sources if source.crm_type))

    @property
    def reads_tasks(self) -> bool:
        return any(source.kind is Kind.TASK for source in self.sources)

    def read_fields(self, ref: ItemRef, category: int | None, group: int | None) -> ReadFields:
        """How to read an item: its source's fields (first match wins), else the native ones."""
        for source in self.sources:
            if (
                source.kind is ref.kind
                and source.crm_type == ref.crm_type
                and source.category in {None, category}
                and source.group in {None, group}
            ):
                return source.read
        return NativeFields()

    def read_names(self, crm_type: int) -> frozenset[str]:
        """Every field that some source of this type reads, by the names of the rules."""
        reads = [source.read for source in self.sources if source.crm_type == crm_type] or [NativeFields()]
        names = {name for read in reads for name in (*read.text, *read.client, read.object, read.channel)}
        return frozenset({*names, *self.extra} - {"", "first_message"})
