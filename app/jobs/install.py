"""The application is installed on the portal, updated, or removed from it (rest.md 2).

Whoever installs brings tokens. They are tried at the address that the settings name and nowhere else:
addresses in a post are a stranger's words. Only an administrator of that portal gets through, and only
with a token of this very application.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.bitrix.application import Identity
from app.bitrix.errors import Misconfigured, Refused, ShutOut
from app.bitrix.oauth import Visitor, tokens_of
from app.desk import Desk, portal_config
from app.model import Installation
from app.store.installations import OtherPortal

log = logging.getLogger(__name__)

LOCAL = "local."  # how the client_id of a local application begins


class Unwelcome(Exception):
    """This is no installation of ours; the text says why."""


async def install(desk: Desk, auth: Mapping[str, Any]) -> Identity:
    """Keep the tokens that an installing post brought. Raises Unwelcome, RetryLater."""
    tokens, application_token = tokens_of(auth, desk.now()), auth.get("application_token")
    if tokens is None:
        raise Unwelcome("в запросе нет токенов приложения")
    visitor = Visitor(desk.settings.portal_address, tokens.access)
    who = await _identity(desk, visitor)
    _check(desk, who)
    new = Installation(
        member_id=tokens.member_id,
        portal=visitor.portal,
        named=desk.settings.portal_address,
        tokens=replace(tokens, user_id=who.user),
        application_token=application_token if isinstance(application_token, str) else "",
        installed_at=desk.now(),
    )
    await _put(desk, new)
    log.info("the application is installed", extra={"user": who.user})
    return who


async def _identity(desk: Desk, visitor: Visitor) -> Identity:
    portal = desk.portal_of(portal_config(desk.settings, desk.rules, visitor), desk.clock)
    try:
        return await portal.identity()
    except (ShutOut, Refused, Misconfigured) as error:
        log.warning("tokens of an installation are refused by the portal: %s", error.code)
        raise Unwelcome(f"портал не признал токен ({error.code})") from None
    finally:
        await portal.close()


def _check(desk: Desk, who: Identity) -> None:
    if who.code.startswith(LOCAL) and who.code != desk.settings.client_id:
        raise Unwelcome("это токен другого приложения: проверьте B24SLA_CLIENT_ID")
    if not who.admin:
        raise Unwelcome("установить приложение может только администратор портала")


async def _put(desk: Desk, new: Installation) -> None:
    assert desk.vault is not None
    try:
        await desk.vault.put(new)
    except OtherPortal:
        raise Unwelcome("база этой службы принадлежит другому порталу") from None
    desk.health.bound_at = None
    if desk.portal is not None:
        desk.portal.let_in()
    desk.wake()


async def uninstall(desk: Desk) -> None:
    """Removed on the portal: from now on nothing is asked of it. Raises RetryLater."""
    known = await desk.vault.load() if desk.vault else None
    if desk.vault is not None and known is not None:
        await desk.vault.removed(known)
        log.warning("the application was removed from the portal: nothing is read or written any more")


async def unbound(desk: Desk) -> None:
    """An update took the subscriptions away: they are bound again at once. Raises RetryLater."""
    known = await desk.vault.load() if desk.vault else None
    if desk.vault is not None and known is not None:
        await desk.vault.bound(known, None)
        desk.health.bound_at = None
        desk.wake()
