from __future__ import annotations

from pathlib import Path

import pytest

from app.settings import Settings, SettingsFault, is_loopback

WEBHOOK = "https://example.bitrix24.ru/rest/9/abcdef123456/"
APPLICATION = {
    "portal": "https://company.bitrix24.ru", "client_id": "local.1", "client_secret": "t0psecret",
    "secret_key": "0123456789abcdef",
}  # fmt: skip


def read(**given: str) -> Settings:
    return Settings.read({f"B24SLA_{name.upper()}": value for name, value in given.items()})


def faults(**given: str) -> dict[str, str]:
    with pytest.raises(SettingsFault) as caught:
        read(**given)
    return {fault.name.removeprefix("B24SLA_"): fault.problem for fault in caught.value.faults}


def test_nothing_set_gives_the_documented_defaults() -> None:
    settings = read()
    assert (settings.host, settings.port, settings.log_level, settings.log_format) == (
        "127.0.0.1", 8080, "info", "console",
    )  # fmt: skip
    assert settings.database_url.get_secret_value() == "sqlite+aiosqlite:///var/b24sla.db"
    assert (settings.portal_webhook, settings.event_tokens, settings.dry_run) == (None, (), False)


def test_an_empty_variable_is_unset() -> None:
    assert read(port="", portal_webhook=" ").port == 8080


def test_tokens_are_separated_by_commas() -> None:
    tokens = read(event_tokens=" one, two,,one ").event_tokens
    assert [token.get_secret_value() for token in tokens] == ["one", "two"]


@pytest.mark.parametrize("text", ["1", "true", "TRUE", "yes", "on"])
def test_dry_run_has_the_usual_words(text: str) -> None:
    assert read(dry_run=text).dry_run


def test_a_webhook_without_its_last_slash_is_mended() -> None:
    webhook = read(portal_webhook=WEBHOOK.rstrip("/")).portal_webhook
    assert webhook is not None
    assert webhook.get_secret_value() == WEBHOOK


@pytest.mark.parametrize("host", ["127.0.0.1:9000", "localhost:9000", "[::1]:9000", "127.8.8.8"])
def test_plain_http_is_for_a_portal_on_this_machine(host: str) -> None:
    assert read(portal_webhook=f"http://{host}/rest/9/abc/").portal_is_loopback


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("http://example.bitrix24.ru/rest/9/abc/", "замените на https"),
        ("http://localhost.example.ru/rest/9/abc/", "замените на https"),
        ("example.bitrix24.ru/rest/9/abc/", "нужен адрес входящего вебхука"),
        ("https://example.bitrix24.ru/", "нужен адрес входящего вебхука"),
        ("https://example.bitrix24.ru/rest/0/abc/", "нужен адрес входящего вебхука"),
        ("https://example.bitrix24.ru/rest/9/abc/profile.json", "уберите имя метода"),
        ("https://example.bitrix24.ru/rest/api/9/abc/", "REST 3.0"),
        ("https://example.bitrix24.ru/rest/9/abc/?auth=1", "лишнее"),
        ("https://user:pass@example.bitrix24.ru/rest/9/abc/", "лишнее"),
        ("https://example.bitrix24.ru:port/rest/9/abc/", "не разобрать"),
    ],
)
def test_a_webhook_of_another_form_is_refused_with_a_remedy(address: str, remedy: str) -> None:
    assert remedy in faults(portal_webhook=address)["PORTAL_WEBHOOK"]


@pytest.mark.parametrize(
    "address",
    ["sqlite:///b.db", "sqlite+aiosqlite:////srv/b.db", "postgresql://u:p@h/d", "postgresql+psycopg://h:5432/d",
     "postgresql+asyncpg://u@/d?host=/run/postgresql"],
)  # fmt: skip
def test_sqlite_and_postgresql_are_taken(address: str) -> None:
    assert read(database_url=address).database_url.get_secret_value() == address


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("mysql://u:p@h/d", "нужен SQLite"),
        ("b24sla.db", "нужен SQLite"),
        ("postgres://u:p@h/d", "postgresql://"),
        ("postgresql://u:p@h/", "не названа база"),
        ("postgresql://u:p#@h/d", "%23"),
        ("postgresql://u:p@ss/w@h/d", "%40"),
        ("sqlite://b.db", "три косые черты"),
        ("sqlite:///:memory:", "нужен файл"),
        ("sqlite://", "нужен файл"),
    ],
)
def test_another_database_is_refused_with_a_remedy(address: str, remedy: str) -> None:
    assert remedy in faults(database_url=address)["DATABASE_URL"]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("port", "tcp://10.0.0.1:80", "целое число"),
        ("port", "0", "от 1 до 65535"),
        ("port", "65536", "от 1 до 65535"),
        ("dry_run", "может быть", "true или false"),
        ("log_level", "loud", "'debug', 'info'"),
        ("log_format", "xml", "'console', 'json'"),
        ("public_url", "sla.example.ru", "https://"),
        ("admin_token", "два слова", "без пробелов"),
        ("admin_token", "123", "не короче 16 знаков"),
        ("admin_token", "fifteen-letters", "openssl rand -hex 32"),
        ("ca_file", "no/such.pem", "нет файла"),
    ],
)
def test_a_value_of_another_kind_is_refused(name: str, value: str, told: str) -> None:
    assert told in faults(**{name: value})[name.upper()]


def test_everything_wrong_is_told_at_once() -> None:
    assert set(faults(port="x", database_url="x", portal_webhok="x", client_id="x")) == {
        "PORT", "DATABASE_URL", "PORTAL_WEBHOK", "CLIENT_SECRET", "SECRET_KEY", "PORTAL",
    }  # fmt: skip


def test_a_misspelt_variable_is_told_its_neighbour() -> None:
    assert "B24SLA_EVENT_TOKENS" in faults(event_token="x")["EVENT_TOKEN"]


def test_foreign_variables_with_our_prefix_are_let_be() -> None:
    read(service_host="10.0.0.1", port_8080_tcp="tcp://10.0.0.1:8080", require_all="1")


def test_webhook_and_application_exclude_each_other() -> None:
    told = faults(portal_webhook=WEBHOOK, **APPLICATION)
    assert "оставьте одно" in told["PORTAL_WEBHOOK"]


def test_an_application_is_told_by_four_variables_together() -> None:
    assert read(**APPLICATION).is_application
    for name in APPLICATION:
        others = {one: value for one, value in APPLICATION.items() if one != name}
        assert set(faults(**others)) == {name.upper()}


@pytest.mark.parametrize(
    ("address", "remedy"),
    [
        ("http://company.bitrix24.ru", "https"),
        ("https://company.bitrix24.ru/rest/", "без пути"),
        ("https://user@company.bitrix24.ru", "без пути"),
        ("company.bitrix24.ru", "без пути"),
    ],
)
def test_an_applications_portal_is_a_bare_address(address: str, remedy: str) -> None:
    assert remedy in faults(**{**APPLICATION, "portal": address})["PORTAL"]


def test_an_applications_portal_may_be_on_this_machine_without_https() -> None:
    settings = read(**{**APPLICATION, "portal": "http://127.0.0.1:8000/"})
    assert (settings.portal_is_loopback, settings.portal_address) == (True, "http://127.0.0.1:8000")


def test_the_token_server_is_changed_only_for_a_portal_on_this_machine() -> None:
    assert "учебного" in faults(oauth_server="https://oauth.example.com/oauth/token/")["OAUTH_SERVER"]
    assert read(oauth_server="http://localhost:8000/oauth/token").oauth_server


def test_a_key_that_is_soon_guessed_is_refused() -> None:
    assert "не короче" in faults(**{**APPLICATION, "secret_key": "short"})["SECRET_KEY"]


def test_no_secret_is_shown() -> None:
    settings = read(
        portal_webhook=WEBHOOK, event_tokens="t0psecret", admin_token="t0psecret-t0psecret",
        database_url="postgresql://u:t0psecret@h/d",
    )  # fmt: skip
    assert not any(secret in repr(settings) + str(settings) for secret in ("t0psecret", "abcdef"))


def test_no_secret_is_repeated_in_a_fault() -> None:
    with pytest.raises(SettingsFault) as caught:
        read(portal_webhook="ftp://h/rest/9/t0psecret/", database_url="mysql://u:t0psecret@h/d")
    assert "t0psecret" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_environment_is_stronger_than_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("\ufeffB24SLA_PORT=9001\nB24SLA_HOST='0.0.0.0'\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("B24SLA_HOST", "127.0.0.2")
    assert (Settings.read().port, Settings.read().host) == (9001, "127.0.0.2")


def test_a_dollar_in_the_file_is_a_dollar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("B24SLA_ADMIN_TOKEN=16-signs-${HOME}b\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    token = Settings.read().admin_token
    assert token is not None
    assert token.get_secret_value() == "16-signs-${HOME}b"


def test_a_file_in_another_encoding_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_bytes("# настройки".encode("cp1251"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsFault, match="UTF-8"):
        Settings.read()


@pytest.mark.parametrize(
    ("host", "expected"),
    [("localhost", True), ("LOCALHOST", True), ("127.1.2.3", True), ("::1", True), ("10.0.0.1", False),
     ("localhost.example.ru", False), ("", False), (None, False)],
)  # fmt: skip
def test_loopback(host: str | None, expected: bool) -> None:
    assert is_loopback(host) is expected
