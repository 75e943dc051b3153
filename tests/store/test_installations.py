from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from app.model import Installation, Tokens
from app.store import installations
from app.store.engine import Database
from app.store.installations import OtherPortal
from app.store.schema import installations as table
from app.store.sealing import Seal, WrongKey
from tests.store.builders import HOUR, NOW

pytestmark = pytest.mark.anyio
SEAL = Seal("0123456789abcdef")
PORTAL = "https://company.bitrix24.ru"


def tokens(number: int = 1) -> Tokens:
    return Tokens(
        f"access{number}", f"refresh{number}", NOW + HOUR, "m1", "crm,im", "L", 9, "https://o/rest/"
    )


def installation(**more: object) -> Installation:
    plain = Installation("m1", PORTAL, PORTAL, tokens(), "apptoken", NOW)
    return replace(plain, **more)  # type: ignore[arg-type]


async def put(database: Database, new: Installation) -> None:
    async with database.begin() as conn:
        await installations.put(conn, SEAL, new)


async def load(database: Database, seal: Seal = SEAL) -> Installation | None:
    async with database.read() as conn:
        return await installations.load(conn, seal)


async def renew(database: Database, generation: int, number: int) -> bool:
    async with database.begin() as conn:
        return await installations.renewed(conn, SEAL, "m1", generation, tokens(number))


async def test_nothing_is_installed_at_first(database: Database) -> None:
    assert await load(database) is None


async def test_installation_is_kept_as_it_was_put(database: Database) -> None:
    await put(database, installation())
    assert await load(database) == installation()


async def test_secrets_are_not_in_the_database(database: Database) -> None:
    await put(database, installation())
    async with database.read() as conn:
        row = str((await conn.execute(sa.select(table))).one())
    assert not any(secret in row for secret in ("access1", "refresh1", "apptoken"))


async def test_another_key_opens_nothing(database: Database) -> None:
    await put(database, installation())
    with pytest.raises(WrongKey):
        await load(database, Seal("another-key-of-the-same-length"))


async def test_new_pair_raises_the_generation(database: Database) -> None:
    await put(database, installation())
    assert await renew(database, 1, 2)
    assert await load(database) == installation(tokens=tokens(2), generation=2)


async def test_late_pair_does_not_overwrite_a_newer_one(database: Database) -> None:
    await put(database, installation())
    assert await renew(database, 1, 2)
    assert not await renew(database, 1, 3)
    assert await load(database) == installation(tokens=tokens(2), generation=2)


async def test_installing_again_binds_again_and_forgets_the_removal(database: Database) -> None:
    await put(database, installation())
    async with database.begin() as conn:
        await installations.bound(conn, "m1", NOW)
        await installations.removed(conn, "m1", NOW + HOUR)
    await put(database, installation(tokens=tokens(2), application_token="new"))
    assert await load(database) == installation(tokens=tokens(2), application_token="new", generation=2)


async def test_removed_one_takes_no_new_pair(database: Database) -> None:
    await put(database, installation())
    async with database.begin() as conn:
        await installations.removed(conn, "m1", NOW)
    assert not await renew(database, 1, 2)
    assert await load(database) == installation(removed_at=NOW)


async def test_another_portal_is_refused(database: Database) -> None:
    await put(database, installation())
    with pytest.raises(OtherPortal):
        await put(database, installation(member_id="m2"))


async def test_renamed_portal_is_kept(database: Database) -> None:
    await put(database, installation())
    async with database.begin() as conn:
        await installations.moved(conn, "m1", "https://new.bitrix24.ru", PORTAL)
    assert await load(database) == installation(portal="https://new.bitrix24.ru")


async def test_time_of_the_last_binding(database: Database) -> None:
    await put(database, installation())
    async with database.begin() as conn:
        await installations.bound(conn, "m1", NOW)
    assert await load(database) == installation(bound_at=NOW)


# --- sealing -----------------------------------------------------------------------------


def test_same_text_is_sealed_differently_each_time() -> None:
    assert SEAL.sealed("x") != SEAL.sealed("x")


def test_another_process_opens_what_was_sealed_with_the_same_key() -> None:
    assert Seal("0123456789abcdef").opened(SEAL.sealed("секрет")) == "секрет"


@pytest.mark.parametrize("broken", ["", "x", "eA==.x", "?.?", SEAL.sealed("x")[:-2]])
def test_touched_value_is_not_opened(broken: str) -> None:
    with pytest.raises(WrongKey):
        SEAL.opened(broken)


def test_values_say_nothing_of_their_secrets() -> None:
    assert not any(
        secret in repr((installation(), SEAL)) for secret in ("access1", "refresh1", "apptoken", "0123")
    )
