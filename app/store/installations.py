"""The local application's installation: whose portal it is, and the pair of tokens that is good now.

Promises: secrets are stored sealed; one portal for ever; a pair is replaced only by whoever knows it
(`generation`), so of two processes that refreshed at once neither overwrites the other's newer pair.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from app.model import Installation, Tokens
from app.store.dialects import locked, upsert
from app.store.schema import installations
from app.store.sealing import Seal


class OtherPortal(Exception):
    """This database belongs to another portal: its tickets must not mix with a stranger's."""


async def load(conn: AsyncConnection, seal: Seal) -> Installation | None:
    """The installation, removed ones too; None before the first. Raises WrongKey."""
    row = (await conn.execute(sa.select(installations).order_by(installations.c.installed_at))).first()
    return _installation(row, seal) if row else None


async def put(conn: AsyncConnection, seal: Seal, new: Installation) -> None:
    """Installed, or installed again: its subscriptions are to be bound. Raises OtherPortal."""
    known = (await conn.execute(locked(sa.select(installations)))).first()
    if known is not None and known.member_id != new.member_id:
        raise OtherPortal
    row = {
        "member_id": new.member_id,
        "portal": new.portal,
        "named": new.named,
        **_pair(new.tokens, seal),
        "application_token": seal.sealed(new.application_token),
        "generation": known.generation + 1 if known else 1,
        "installed_at": new.installed_at,
        "bound_at": None,
        "removed_at": None,
    }
    await conn.execute(upsert(conn, installations, row).values(row))


async def renewed(conn: AsyncConnection, seal: Seal, member_id: str, generation: int, tokens: Tokens) -> bool:
    """A new pair instead of that generation's; False: somebody was faster, or it was removed."""
    ours = (
        installations.c.member_id == member_id,
        installations.c.generation == generation,
        installations.c.removed_at.is_(None),
    )
    query = sa.update(installations).where(*ours).values(**_pair(tokens, seal), generation=generation + 1)
    return (await conn.execute(query.returning(installations.c.member_id))).first() is not None


async def moved(conn: AsyncConnection, member_id: str, portal: str, named: str) -> None:
    """The portal is found at another address now."""
    await _change(conn, member_id, portal=portal, named=named)


async def bound(conn: AsyncConnection, member_id: str, at: datetime | None) -> None:
    """Its subscriptions are whole; None: look again."""
    await _change(conn, member_id, bound_at=at)


async def removed(conn: AsyncConnection, member_id: str, at: datetime) -> None:
    """Uninstalled on the portal: its tokens are dead, nobody may call with them."""
    await _change(conn, member_id, removed_at=at)


async def _change(conn: AsyncConnection, member_id: str, **values: Any) -> None:
    query = sa.update(installations).where(installations.c.member_id == member_id)
    await conn.execute(query.values(**values))


def _pair(tokens: Tokens, seal: Seal) -> dict[str, Any]:
    return {
        "access_token": seal.sealed(tokens.access),
        "refresh_token": seal.sealed(tokens.refresh),
        "expires_at": tokens.expires_at,
        "scope": tokens.scope,
        "status": tokens.status,
        "user_id": tokens.user_id,
        "server_endpoint": tokens.server_endpoint,
    }


def _installation(row: sa.Row[Any], seal: Seal) -> Installation:
    tokens = Tokens(
        access=seal.opened(row.access_token),
        refresh=seal.opened(row.refresh_token),
        expires_at=row.expires_at,
        member_id=row.member_id,
        scope=row.scope,
        status=row.status,
        user_id=row.user_id,
        server_endpoint=row.server_endpoint,
    )
    return Installation(
        member_id=row.member_id,
        portal=row.portal,
        named=row.named,
        tokens=tokens,
        application_token=seal.opened(row.application_token),
        installed_at=row.installed_at,
        generation=row.generation,
        bound_at=row.bound_at,
        removed_at=row.removed_at,
    )
