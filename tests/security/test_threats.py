"""What strangers may try, one by one; docs/security.md lists them with these names."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr

from app import listening, logs, serving
from app.bitrix.access import Webhook
from app.bitrix.client import Client
from app.bitrix.errors import PortalError
from app.bitrix.wire import Command
from app.clock import RealClock
from app.desk import Desk
from app.settings import Settings
from app.store import inbox
from app.store.engine import Database, DatabaseUrlFault, StoreUnavailable
from app.web import bodies
from app.web.application import create_app
from tests.jobs.scenes import FIRE, TOKEN, Scene, letter, scene
from tests.web.town import ADMIN_TOKEN, EVENT_TOKEN, bearer, client_of, desk_of, failed_work_in, live, town

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
HOOK = "/webhooks/bitrix24"


def event(number: int = 41, token: str = EVENT_TOKEN, **more: str) -> dict[str, str]:
    return {
        "event": "ONCRMDEALUPDATE",
        "data[FIELDS][ID]": str(number),
        "auth[application_token]": token,
        **more,
    }


# --- events ---------------------------------------------------------------------------------


async def test_a_replayed_event_is_only_read_again(desk: Desk, client: httpx.AsyncClient) -> None:
    answers = [await client.post(HOOK, data=event()) for _ in range(20)]
    async with desk.db.read() as conn:
        waiting, _ = await inbox.lag(conn, desk.now())
    assert ({answer.status_code for answer in answers}, waiting) == ({200}, 1)


async def test_a_replayed_event_says_and_writes_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as made:
        case = made.office.receive(letter(FIRE, "Пожар"), made.office.agents[0])
        await made.settle()
        before = (made.chat(), dict(made.portal.writes))
        async with httpx.AsyncClient(transport=made.web, base_url="http://127.0.0.1:8080") as sender:
            for _ in range(5):
                await sender.post(HOOK, data=event(case.id, TOKEN))
                await made.settle(events=False)
        assert (made.chat(), dict(made.portal.writes)) == before


HOSTILE = {
    "auth[domain]": "evil.example",
    "auth[client_endpoint]": "https://evil.example/rest/",
    "auth[server_endpoint]": "https://evil.example/oauth/",
    "auth[access_token]": "theirs",
    "auth[refresh_token]": "theirs",
    "data[FIELDS][URL]": "http://169.254.169.254/latest/",
}


async def test_no_address_in_an_event_is_ever_called(tmp_path: Path) -> None:
    async with scene(tmp_path) as made:
        asked = _hosts_asked(made)
        case = made.office.receive(letter(FIRE, "Пожар"), made.office.agents[0])
        made.portal.events.drop = 1.0
        async with httpx.AsyncClient(transport=made.web, base_url="http://127.0.0.1:8080") as sender:
            for name in ("ONCRMDEALUPDATE", "ONAPPINSTALL", "ONAPPUPDATE", "ONCRMACTIVITYADD"):
                answer = await sender.post(HOOK, data=event(case.id, TOKEN, event=name, **HOSTILE))
                assert answer.status_code in {200, 403}
                await sender.post("/install", data=event(case.id, TOKEN, event=name, **HOSTILE))
        await made.settle(events=False)
        assert (await made.ticket(case)).value == "emergency"
    assert asked == {"127.0.0.1"}


def _hosts_asked(made: Scene) -> set[str]:
    """Filled with the host of every request that the service sends from now on."""
    asked: set[str] = set()
    http = made.desk.working_portal._client._http
    inner = http._transport

    class Watched(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            asked.add(request.url.host)
            return await inner.handle_async_request(request)

    http._transport = Watched()
    return asked


async def test_a_body_that_dawdles_is_not_waited_for(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.02)

    sent = iter([{"type": "http.request", "body": b"event=", "more_body": True}])

    async def receive() -> Any:
        try:
            return next(sent)
        except StopIteration:
            return await asyncio.Event().wait()

    answers: list[Any] = []

    async def send(message: Any) -> None:
        answers.append(message)

    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/x-www-form-urlencoded")]
    scope = {
        "type": "http", "method": "POST", "path": HOOK, "raw_path": HOOK.encode(), "query_string": b"",
        "headers": headers, "client": ("203.0.113.9", 1), "server": ("127.0.0.1", 8080), "scheme": "http",
        "http_version": "1.1", "root_path": "",
    }  # fmt: skip
    await create_app(desk)(scope, receive, send)
    assert answers[0]["status"] == 408


async def test_the_server_bounds_connections_and_idle_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: dict[str, Any] = {}

    class Noted(listening.Server):
        async def serve(self, sockets: Any = None) -> None:  # noqa: ARG002  as uvicorn has it
            seen.update(vars(self.config))

    monkeypatch.setattr(serving, "Server", Noted)
    url = SecretStr(f"sqlite+aiosqlite:///{tmp_path}/desk.db")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    await serving.serve(Settings(database_url=url, port=port), role="web")
    assert 0 < seen["limit_concurrency"] <= 1000
    assert 0 < seen["timeout_keep_alive"] <= 10
    assert 0 < seen["timeout_graceful_shutdown"] <= 5
    assert (seen["proxy_headers"], seen["server_header"]) == (False, False)


# --- pages ----------------------------------------------------------------------------------


def addresses(desk: Desk) -> set[tuple[str, str]]:
    """(method, path) of everything that answers, static files aside; a ticket stands for every parameter."""
    found: set[tuple[str, str]] = set()
    waiting: list[Any] = list(create_app(desk).routes)
    while waiting:
        route = waiting.pop()
        waiting += getattr(getattr(route, "original_router", None), "routes", ())
        for method in set(getattr(route, "methods", None) or ()) - {"HEAD"}:
            found.add((method, re.sub(r"\{\w+\}", "deal:41", route.path)))
    assert len(found) > 15
    return found


async def test_every_form_needs_its_mark(db: Database) -> None:
    desk = desk_of(db, admin_token=ADMIN_TOKEN)
    await failed_work_in(desk)
    forms = {path for method, path in addresses(desk) if method == "POST"} - {HOOK, "/install", "/login"}
    assert {"/logout", "/failed/retry", "/failed/drop"} <= forms
    async with client_of(desk) as visitor:
        await visitor.post("/login", data={"token": ADMIN_TOKEN})
        for path in sorted(forms):
            fields = {"what": "inbox", "key": "deal:43"}
            assert (await visitor.post(path, data=fields)).status_code == 403, path
            assert (await visitor.post(path, data=fields | {"mark": "0" * 64})).status_code == 403, path


async def test_every_address_but_the_open_ones_is_closed_to_strangers(db: Database) -> None:
    desk = desk_of(db, admin_token=ADMIN_TOKEN)
    opened = {HOOK, "/install", "/healthz", "/readyz", "/login"}
    async with client_of(desk, base="http://sla.example.ru", peer="203.0.113.9") as stranger:
        for method, path in addresses(desk):
            answer = await stranger.request(method, path)
            refused = {403} if path.startswith("/why/") else {303, 401}
            assert path in opened or answer.status_code in refused, (method, path)


async def test_every_secret_is_compared_to_its_end(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []
    real = hmac.compare_digest

    def noted(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr("app.web.sessions.hmac.compare_digest", noted)
    desk = desk_of(db, admin_token=ADMIN_TOKEN)
    async with client_of(desk, **bearer("guess")) as guesser:
        await guesser.get("/api/v1/kpi")
        await guesser.post("/login", data={"token": "guess"})
        await guesser.post(HOOK, data=event(token="guess"))
    secrets = {other for _, other in compared} | {one for one, _ in compared}
    assert {ADMIN_TOKEN.encode(), EVENT_TOKEN.encode(), b"other"} <= secrets


# --- words of strangers ---------------------------------------------------------------------

LIVELY = (
    '[url=http://evil.example]жми[/url][b]<script>alert(1)</script>[/b] =HYPERLINK("http://evil.example")'
)


async def test_codes_of_a_title_stay_dead_in_chats_and_comments(tmp_path: Path) -> None:
    async with scene(tmp_path) as made:
        made.office.receive(letter(FIRE, LIVELY), made.office.agents[0])
        await made.settle()
        said = made.chat()
    assert said
    assert "evil.example" in "".join(said) or "жми" in "".join(said)
    assert not re.search(r"\[(url=http://evil|b\])", "".join(said))


async def test_markup_of_every_field_stays_text_on_pages(desk: Desk, client: httpx.AsyncClient) -> None:
    await live(
        desk,
        50,
        "24.11 10:00",
        title=LIVELY,
        text=(LIVELY,),
        client_name=LIVELY,
        object=LIVELY,
        channel=LIVELY,
    )
    for path in ("/", "/tickets/deal:50", "/kpi/created", "/kpi", "/failed"):
        html = (await client.get(path)).text
        assert "<script>alert" not in html, path
        assert 'href="http://evil' not in html, path


# --- secrets --------------------------------------------------------------------------------

SECRETS = ("s3cr3t-webhook-0001", "s3cr3t-admin-0001", "s3cr3t-event", "s3cr3t-database")


@pytest.fixture
def guarded(db: Database) -> Desk:
    return desk_of(
        db,
        admin_token=SECRETS[1],
        event_tokens=SECRETS[2],
        portal_webhook=f"https://portal.test/rest/9/{SECRETS[0]}/",
        database_url=f"postgresql+asyncpg://sla:{SECRETS[3]}@db.example/sla",
    )


def leaks(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


async def test_no_answer_holds_a_secret(guarded: Desk) -> None:
    await town(guarded)
    await failed_work_in(guarded)
    async with client_of(guarded, **bearer(SECRETS[1])) as client:
        for method, path in addresses(guarded):
            answer = await client.request(method, path)
            assert leaks(answer.text + repr(answer.headers)) == [], path


async def test_no_repr_holds_a_secret(guarded: Desk) -> None:
    webhook = Webhook(f"https://portal.test/rest/9/{SECRETS[0]}/")
    client, key = Client(webhook, RealClock()), await webhook.key()
    assert leaks(f"{guarded!r} {guarded.settings!r} {guarded.settings} {client!r} {webhook!r} {key!r}") == []
    await client.aclose()


@pytest.mark.parametrize("fault", [httpx.ConnectError, httpx.ReadTimeout, httpx.InvalidURL, ValueError])
async def test_no_fault_of_the_road_tells_the_secret(
    fault: type[Exception], capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise fault(f"cannot reach {request.url}")

    logs.configure("debug", "json")
    webhook = Webhook(f"https://portal.test/rest/9/{SECRETS[0]}/")
    client = Client(webhook, RealClock(), transport=httpx.MockTransport(broken))
    told = ""
    try:
        await client.call(Command("profile"))
    except PortalError as error:
        told = f"{error} {error!r}"
    except Exception:
        logging.getLogger("app.test").exception("it failed")
    finally:
        await client.aclose()
        err = capsys.readouterr().err
        logging.basicConfig(handlers=[logging.NullHandler()], force=True, level="WARNING")
    assert leaks(told + err) == []


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql+asyncpg://sla:{SECRETS[3]}@127.0.0.1:1/sla",
        f"postgresql+asyncpg://sla:{SECRETS[3]}@nowhere.invalid/sla",
        f"mysql://sla:{SECRETS[3]}@db/sla",
        f"nonsense {SECRETS[3]}",
    ],
)
async def test_the_databases_password_is_never_shown(url: str) -> None:
    told = ""
    try:
        database = Database.open(url)
        try:
            async with database.read():
                pass
        finally:
            told += repr(database)
            await database.close()
    except (StoreUnavailable, DatabaseUrlFault) as error:
        told += f"{error} {error!r} {getattr(error, 'remedy', '')}"
    assert told
    assert leaks(told) == []


# --- TLS ------------------------------------------------------------------------------------


def test_verification_is_never_switched_off() -> None:
    """Not in a line of ours: every client verifies, and only our own certificate file adds trust."""
    off = re.compile(
        r"verify\s*=\s*False|CERT_NONE|check_hostname\s*=\s*False|_create_unverified|PYTHONHTTPSVERIFY"
    )
    sources = [*ROOT.glob("app/**/*.py"), *ROOT.glob("migrations/**/*.py"), *ROOT.glob("benchmarks/*.py")]
    assert len(sources) > 100
    assert [str(file) for file in sources if off.search(file.read_text("utf-8"))] == []


@pytest.fixture
async def self_signed(tmp_path: Path) -> AsyncIterator[tuple[str, Path, list[bytes]]]:
    """A portal that nobody vouches for: its address, its certificate, and what it was told."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal.test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = tmp_path / "portal.pem", tmp_path / "portal.key"
    await asyncio.to_thread(pem.write_bytes, certificate.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    await asyncio.to_thread(private.write_bytes, key.private_bytes(serialization.Encoding.PEM, *form))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    told: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told.append(await reader.readuntil(b"\r\n\r\n"))
        body = json.dumps({"result": {"ID": "9"}}).encode()
        writer.write(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)  # refused handshakes are the point
    yield f"https://127.0.0.1:{port}/rest/9/topsecret/", pem, told
    server.close()


async def test_a_certificate_that_nobody_vouches_for_gets_no_secret(
    self_signed: tuple[str, Path, list[bytes]],
) -> None:
    webhook, _, told = self_signed
    client = Client(Webhook(webhook), RealClock())
    with pytest.raises(PortalError):
        await client.call(Command("profile"))
    await client.aclose()
    assert told == []


async def test_the_certificate_file_of_the_settings_is_trusted(
    self_signed: tuple[str, Path, list[bytes]],
) -> None:
    webhook, certificate, told = self_signed
    client = Client(Webhook(webhook), RealClock(), ca_file=certificate)
    assert (await client.call(Command("profile"))).result == {"ID": "9"}
    await client.aclose()
    assert len(told) == 1


# --- what we are made of --------------------------------------------------------------------


def test_dependencies_are_audited_strictly_and_a_failure_is_shown() -> None:
    make, ci = (ROOT / "Makefile").read_text("utf-8"), (ROOT / ".ci" / "run").read_text("utf-8")
    assert "pip-audit --strict --require-hashes" in make
    assert "requirements.lock requirements-dev.lock" in make
    assert "AUDIT: FAILED" in make
    assert "AUDIT: FAILED" in ci
    assert "known vulnerabilit" in ci


@pytest.mark.parametrize(
    ("told", "status", "goes_on"),
    [
        ("No known vulnerabilities found", 0, True),
        ("ERROR: Dependency not found on PyPI and could not be audited", 1, True),
        ("Found 2 known vulnerabilities in 1 package", 1, False),
    ],
)
def test_a_vulnerability_that_is_found_stops_the_build(
    tmp_path: Path, told: str, status: int, goes_on: bool
) -> None:
    script = (ROOT / ".ci" / "run").read_text("utf-8")
    make = f"make() {{ echo '{told}'; return {status}; }}"
    start = script.index("audit() {")
    audit = script[start : script.index("\n}\n", start) + 3]
    ran = subprocess.run(
        ["bash", "-c", f"set -euo pipefail\n{make}\n{audit}\naudit\necho went on"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ("went on" in ran.stdout) is goes_on
    assert ("AUDIT: FAILED" in ran.stdout) is (status != 0 and goes_on)
