"""Facts: append-only, what readings taught us (sla.md 2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from app.model.items import ItemRef


class FactKind(StrEnum):
    """What a fact tells. Values are described beside each."""

    CREATED = "created"  # {"by": user}
    STAGE = "stage"  # key: history row; {"stage": str, "category": int|None}
    FIELD = "field"  # key: code#n; {"code": str, "value": str}
    UTTERANCE = "utterance"  # key: Utterance.key; {"side", "channel", "text"}
    VANISHED = "vanished"  # key: Utterance.key; evidence that the portal no longer shows
    CLASSIFIED = "classified"  # our classifier spoke; {"class", "area", "confidence", "why", ...}
    GONE = "gone"
    RETURNED = "returned"
    RULES = "rules"  # by which rules we judge it from here on; {"terms", "desk": versions, "by": a name}
    SILENCE = "silence"  # whether our answers can be read at all; {"silent": bool}
    BOUND = "bound"  # another ticket's work from here on; {"to": ref, "" when on its own again}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened to an item: append-only, unique by (ref, kind, key)."""

    ref: ItemRef
    kind: FactKind
    key: str
    happened_at: datetime
    recorded_at: datetime
    actor: int | None = None
    value: Mapping[str, Any] = field(default_factory=dict)
