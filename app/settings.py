"""The environment → one frozen value; the only reader of `os.environ`.

Everything wrong is told at once, each variable with what to do; no secret is ever repeated.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, urlsplit

from dotenv import dotenv_values
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

PREFIX = "B24SLA_"
DEFAULT_DATABASE = "sqlite+aiosqlite:///var/b24sla.db"
WEBHOOK_FORM = "https://портал/rest/<номер пользователя>/<секрет>/"
PORTAL_FORM = "https://company.bitrix24.ru"
SHORTEST_KEY = 16
UNREADABLE = "адрес не разобрать; знаки @ : / # в пароле записываются как %40 %3A %2F %23"

_WEBHOOK_PATH = re.compile(r"/rest/[1-9]\d*/[A-Za-z0-9_-]+/?")
_WEBHOOK_WITH_METHOD = re.compile(r"/rest/[1-9]\d*/[A-Za-z0-9_-]+/.+")


@dataclass(frozen=True, slots=True)
class SettingFault:
    """One variable that cannot be used, and the remedy."""

    name: str
    problem: str

    def __str__(self) -> str:
        return f"{self.name}: {self.problem}"


NO_PORTAL = (
    "не задан B24SLA_PORTAL_WEBHOOK (адрес входящего вебхука) или локальное приложение: B24SLA_PORTAL, "
    "B24SLA_CLIENT_ID, B24SLA_CLIENT_SECRET, B24SLA_SECRET_KEY"
)


class NotAllowed(Exception):
    """The service must not start like this; the text names the remedy."""


class SettingsFault(Exception):
    """The environment must be corrected; `faults` holds everything that is wrong with it."""

    def __init__(self, faults: tuple[SettingFault, ...]) -> None:
        super().__init__("Настройки не подходят:\n" + "\n".join(f"  {fault}" for fault in faults))
        self.faults = faults


# --- what a value must look like ---------------------------------------------------------


def is_loopback(host: str | None) -> bool:
    """`localhost`, 127.0.0.0/8 or ::1."""
    if not host:
        return False
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _split(address: str) -> SplitResult:
    """Take an address apart, its port included; the ValueError does not repeat it, it may hold secrets."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        raise ValueError(UNREADABLE) from None
    return parts


def _webhook(value: SecretStr) -> SecretStr:
    address = value.get_secret_value()
    parts = _split(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"нужен адрес входящего вебхука вида {WEBHOOK_FORM}")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("http разрешён только для портала на этой же машине; замените на https")
    if parts.path.startswith("/rest/api/"):
        raise ValueError(f"это адрес REST 3.0; нужен обычный, без «api/»: {WEBHOOK_FORM}")
    if parts.username or parts.query or parts.fragment:
        raise ValueError(f"лишнее в адресе (логин, «?» или «#»); нужен вид {WEBHOOK_FORM}")
    if _WEBHOOK_WITH_METHOD.fullmatch(parts.path):
        raise ValueError(f"уберите имя метода в конце адреса, чтобы осталось {WEBHOOK_FORM}")
    if not _WEBHOOK_PATH.fullmatch(parts.path):
        raise ValueError(f"нужен адрес входящего вебхука вида {WEBHOOK_FORM}")
    return SecretStr(address.rstrip("/") + "/")


def _portal(address: str) -> str:
    parts = _split(address)
    bare = parts.path in {"", "/"} and not (parts.username or parts.query or parts.fragment)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not bare:
        raise ValueError(f"нужен адрес портала без пути, вида {PORTAL_FORM}")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("http разрешён только для портала на этой же машине; замените на https")
    return address.rstrip("/")


def _oauth_server(address: str) -> str:
    parts = _split(address)
    if parts.scheme not in {"http", "https"} or not is_loopback(parts.hostname):
        raise ValueError("меняется только для учебного портала на этой же машине; иначе уберите")
    return address.rstrip("/") + "/"


def _secret_key(value: SecretStr) -> SecretStr:
    if len(value.get_secret_value()) < SHORTEST_KEY:
        raise ValueError(f"не короче {SHORTEST_KEY} знаков; например, вывод команды openssl rand -hex 32")
    return value


def _database(value: SecretStr) -> SecretStr:
    parts = _split(value.get_secret_value())
    if parts.scheme in {"sqlite", "sqlite+aiosqlite"}:
        return _sqlite(value, parts)
    if re.fullmatch(r"postgresql(\+\w+)?", parts.scheme):
        return _postgresql(value, parts)
    if parts.scheme == "postgres":
        raise ValueError("начните адрес с postgresql:// вместо postgres://")
    raise ValueError(f"нужен SQLite ({DEFAULT_DATABASE}) или PostgreSQL (postgresql+asyncpg://…/база)")


def _postgresql(value: SecretStr, parts: SplitResult) -> SecretStr:
    if parts.path in {"", "/"}:
        raise ValueError("не названа база: postgresql+asyncpg://пользователь:пароль@сервер/база")
    if "/" in parts.path[1:] or "@" in parts.path or parts.fragment:
        raise ValueError(UNREADABLE)
    return value


def _sqlite(value: SecretStr, parts: SplitResult) -> SecretStr:
    if parts.netloc:
        raise ValueError("перед путём к файлу SQLite нужны три косые черты (четыре, если путь от корня)")
    if parts.path in {"", "/", "/:memory:"}:
        raise ValueError(f"нужен файл: база в памяти не переживёт перезапуска; например {DEFAULT_DATABASE}")
    return value


def _public_url(address: str) -> str:
    parts = _split(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("нужен адрес, по которому открывают эту службу, например https://sla.example.ru")
    return address.rstrip("/")


def _admin_token(value: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", value.get_secret_value()):
        raise ValueError("латинские буквы, цифры и знаки без пробелов: ключ передаётся в заголовке запроса")
    return _secret_key(value)


def _ca_file(path: Path) -> Path:
    try:
        found = path.is_file()
    except (OSError, ValueError):  # no name of a file at all
        found = False
    if not found:
        raise ValueError(f"нет файла {str(path)[:200]}; нужен файл сертификатов в формате PEM")
    return path


def _comma_separated(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(dict.fromkeys(filter(None, map(str.strip, value.split(",")))))


def _lower(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


class Settings(BaseModel):
    """Each field is the variable `B24SLA_` + its name in capitals (contract.md 2)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    portal_webhook: Annotated[SecretStr, AfterValidator(_webhook)] | None = None
    event_tokens: Annotated[tuple[SecretStr, ...], BeforeValidator(_comma_separated)] = ()
    portal: Annotated[str, AfterValidator(_portal)] | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    secret_key: Annotated[SecretStr, AfterValidator(_secret_key)] | None = None
    oauth_server: Annotated[str, AfterValidator(_oauth_server)] | None = None
    database_url: Annotated[SecretStr, AfterValidator(_database)] = SecretStr(DEFAULT_DATABASE)
    rules: Path | None = None
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    public_url: Annotated[str, AfterValidator(_public_url)] | None = None
    admin_token: Annotated[SecretStr, AfterValidator(_admin_token)] | None = None
    ca_file: Annotated[Path, AfterValidator(_ca_file)] | None = None
    dry_run: bool = False
    log_level: Annotated[
        Literal["debug", "info", "warning", "error", "critical"], BeforeValidator(_lower)
    ] = "info"
    log_format: Annotated[Literal["console", "json"], BeforeValidator(_lower)] = "console"

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """From `environ`; without it from the process's environment over `.env` of the working directory.

        An empty variable counts as unset. Raises SettingsFault with everything that is wrong.
        """
        given = _given(_surroundings() if environ is None else environ)
        faults = [*_misspelt(given), *_halves(given), *_not_text(given)]
        values = {
            name: value for name, value in given.items() if name in cls.model_fields and _is_text(value)
        }
        try:
            settings = cls.model_validate(values)
        except ValidationError as fault:
            raise SettingsFault((*_told(fault), *faults)) from None
        if faults:
            raise SettingsFault(tuple(faults))
        return settings

    @property
    def portal_address(self) -> str:
        """The portal's address as the settings name it, without a secret; empty without a portal."""
        if self.portal_webhook is None:
            return self.portal or ""
        parts = urlsplit(self.portal_webhook.get_secret_value())
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_application(self) -> bool:
        """Connected as a local application, not by a webhook."""
        return self.client_id is not None

    @property
    def portal_host(self) -> str | None:
        """The portal's host name, if there is a portal."""
        return urlsplit(self.portal_address).hostname

    @property
    def portal_is_loopback(self) -> bool:
        """An emulated portal on this machine: the only one for `--clock` and the packaged sample rules."""
        return is_loopback(self.portal_host)


def variable(field: str) -> str:
    """The environment variable of a field of Settings."""
    return PREFIX + field.upper()


# --- reading -----------------------------------------------------------------------------


def _surroundings() -> dict[str, str]:
    try:
        # Without interpolation: a `$` in a password is a `$`. Windows' Notepad begins files with a BOM.
        written = dotenv_values(".env", interpolate=False, encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise SettingsFault(
            (SettingFault(".env", "файл не в UTF-8; сохраните его заново в UTF-8"),)
        ) from None
    return {name: value for name, value in {**written, **os.environ}.items() if value is not None}


def _given(environ: Mapping[str, str]) -> dict[str, str]:
    """Field name → stripped value of every filled-in variable with our prefix."""
    stripped = {name: value.strip() for name, value in environ.items() if name.startswith(PREFIX)}
    return {name.removeprefix(PREFIX).lower(): value for name, value in stripped.items() if value}


def _is_text(value: str) -> bool:
    """A byte that is no UTF-8 comes from the environment as half a character."""
    return value.isprintable() or value.encode("utf-8", "ignore").decode() == value


def _not_text(given: Mapping[str, str]) -> Iterator[SettingFault]:
    for name, value in given.items():
        if name in Settings.model_fields and not _is_text(value):
            yield SettingFault(variable(name), "значение не в UTF-8; запишите его заново")


def _misspelt(given: Mapping[str, str]) -> Iterator[SettingFault]:
    """Names that are nearly ours. Other names with our prefix are let be: Kubernetes invents some."""
    for name in given.keys() - Settings.model_fields.keys():
        near = get_close_matches(name, Settings.model_fields, n=1, cutoff=0.8)
        if near:
            yield SettingFault(
                variable(name), f"такой настройки нет, возможно, вы имели в виду {variable(near[0])}"
            )


def _halves(given: Mapping[str, str]) -> Iterator[SettingFault]:
    """The local application needs its four variables together and no webhook beside them."""
    application = ("portal", "client_id", "client_secret", "secret_key")
    if not any(name in given for name in application):
        return
    for name in application:
        if name not in given:
            together = ", ".join(map(variable, application))
            yield SettingFault(variable(name), f"не задан, а локальному приложению нужны вместе {together}")
    if "portal_webhook" in given:
        problem = "задан вместе с настройками локального приложения; оставьте одно"
        yield SettingFault(variable("portal_webhook"), problem)


_TOLD: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "int_parsing": lambda _: "нужно целое число, например 8080",
    "greater_than_equal": lambda _: "нужно число от 1 до 65535",
    "less_than_equal": lambda _: "нужно число от 1 до 65535",
    "bool_parsing": lambda _: "нужно true или false",
    "literal_error": lambda context: f"нужно одно из: {str(context['expected']).replace(' or ', ', ')}",
    "value_error": lambda context: str(context["error"]),
}


def _told(fault: ValidationError) -> Iterator[SettingFault]:
    for error in fault.errors(include_url=False, include_input=False):
        tell = _TOLD.get(error["type"])
        problem = tell(error.get("ctx", {})) if tell else error["msg"]
        yield SettingFault(variable(str(error["loc"][0])), problem)
