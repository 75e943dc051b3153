"""The local application as it stands on the portal: tokens and what they are good for (rest.md 2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair as the OAuth server gave it."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    expires_at: datetime
    member_id: str = ""  # the portal's own key
    scope: str = ""
    status: str = ""  # L local, F free, D demo, T trial, P paid
    user_id: int = 0  # whom they stand for
    server_endpoint: str = ""


@dataclass(frozen=True, slots=True)
class Installation:
    """What is stored of it. `generation` grows with every new pair, whoever asked for it."""

    member_id: str
    portal: str  # https://company.bitrix24.ru, where it is called now
    named: str  # the settings' name for it when `portal` was learnt
    tokens: Tokens
    application_token: str = field(repr=False)  # comes with every event, fixed for an installation
    installed_at: datetime
    generation: int = 1
    bound_at: datetime | None = None  # subscriptions were last found whole
    removed_at: datetime | None = None
