"""compose.yaml promises what the service and its image can keep; there is no engine here to run it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from app.serving import IDLE_SECONDS
from app.settings import Settings, variable
from app.web.hooks import BODY_LIMIT

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yaml").read_text("utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
REPLICAS = ("app-1", "app-2")
INVENTED = {
    "POSTGRES_PASSWORD": "letters4nd0digits",
    "B24SLA_HOSTNAME": "sla.example.ru",
    "B24SLA_ADMIN_TOKEN": "k3y-of-the-compose-file",
}


def filled(text: str) -> str:
    """What compose makes of `${NAME:?why}`."""
    return re.sub(r"\$\{(\w+):\?[^}]*\}", lambda found: INVENTED[found[1]], text)


def test_there_are_two_replicas_a_database_and_a_proxy() -> None:
    assert set(SERVICES) == {*REPLICAS, "database", "proxy"}
    assert SERVICES["app-1"] == SERVICES["app-2"]


@pytest.mark.parametrize("replica", REPLICAS)
def test_the_settings_are_ours_and_are_taken(replica: str) -> None:
    given = {name: filled(str(value)) for name, value in SERVICES[replica]["environment"].items()}
    known = {variable(field) for field in Settings.model_fields}
    assert given.keys() <= known
    settings = Settings.read(given)
    assert settings.database_url.get_secret_value().startswith(
        "postgresql+asyncpg://b24sla:letters4nd0digits@database"
    )
    assert (settings.host, settings.public_url) == ("0.0.0.0", "https://sla.example.ru")


def test_no_secret_stands_in_it() -> None:
    secrets = re.compile(r"(?im)^\s*\w*(password|token|secret|webhook)\w*:\s*(?!\$\{)\S")
    assert secrets.findall(TEXT) == []
    assert "/rest/" not in TEXT


def test_every_image_has_its_version() -> None:
    images = [service["image"] for service in SERVICES.values()]
    assert [image for image in images if not re.fullmatch(r"[\w/.-]+:\d+\.\d+[\w.-]*", image)] == []


def test_only_the_proxy_is_reached_from_outside() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy"}


def test_the_proxy_asks_the_port_on_which_the_replicas_listen() -> None:
    caddy = COMPOSE["configs"]["caddyfile"]["content"]
    ports = {replica: SERVICES[replica]["environment"]["B24SLA_PORT"] for replica in REPLICAS}
    for replica, port in ports.items():
        assert f"{replica}:{port}" in caddy
    assert "health_uri /healthz" in caddy
    assert "read_header" in caddy
    assert caddy.count("{") == caddy.count("}")
    assert "$$B24SLA_HOSTNAME" in caddy  # compose makes it `$B24SLA_HOSTNAME`, which Caddy reads
    assert "B24SLA_HOSTNAME" in SERVICES["proxy"]["environment"]


def test_an_event_whose_replica_goes_away_is_posted_to_the_other() -> None:
    caddy = COMPOSE["configs"]["caddyfile"]["content"]
    assert "lb_retry_match path /webhooks/bitrix24" in caddy
    assert f"request_buffers {BODY_LIMIT // 1024}KiB" in caddy, "what is sent again must be kept"


def test_the_database_is_reached_by_the_replicas_only() -> None:
    assert {name for name, service in SERVICES.items() if "data" in service["networks"]} == {
        "database",
        *REPLICAS,
    }
    assert SERVICES["database"]["networks"] == ["data"]
    assert COMPOSE["networks"]["data"]["internal"]


def test_the_proxy_lets_go_of_a_connection_before_the_service_does() -> None:
    kept = re.search(r"keepalive (\d+)s", COMPOSE["configs"]["caddyfile"]["content"])
    assert kept
    assert int(kept[1]) < IDLE_SECONDS


def test_no_log_grows_for_ever() -> None:
    assert all("max-size" in service["logging"]["options"] for service in SERVICES.values())


def test_missing_rules_are_no_empty_folder() -> None:
    for replica in REPLICAS:
        [rules] = SERVICES[replica]["volumes"]
        assert (rules["target"], rules["read_only"]) == (
            SERVICES[replica]["environment"]["B24SLA_RULES"],
            True,
        )
        assert rules["bind"]["create_host_path"] is False


def test_a_stop_has_the_time_that_it_needs() -> None:
    assert {SERVICES[replica]["stop_grace_period"] for replica in REPLICAS} == {"15s"}


def test_everything_that_is_mounted_or_joined_is_declared() -> None:
    volumes = [volume for service in SERVICES.values() for volume in service.get("volumes", ())]
    named = {volume.partition(":")[0] for volume in volumes if isinstance(volume, str)}
    assert named == set(COMPOSE["volumes"])
    assert {net for service in SERVICES.values() for net in service["networks"]} == set(COMPOSE["networks"])


# --- the image ------------------------------------------------------------------------------

DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def test_the_image_installs_what_is_locked_and_runs_as_nobody_special() -> None:
    assert "--require-hashes -r /src/requirements.lock" in DOCKERFILE
    assert re.search(r"^USER (?!root)\w+", DOCKERFILE, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["b24sla"\]', DOCKERFILE, re.MULTILINE)
    assert re.search(r"^EXPOSE 8080$", DOCKERFILE, re.MULTILINE)


def test_the_image_names_only_settings_of_ours_and_no_secret() -> None:
    named = set(re.findall(r"B24SLA_\w+", DOCKERFILE))
    assert named <= {variable(field) for field in Settings.model_fields}
    assert not named & {
        "B24SLA_ADMIN_TOKEN",
        "B24SLA_PORTAL_WEBHOOK",
        "B24SLA_EVENT_TOKENS",
        "B24SLA_SECRET_KEY",
    }


def test_every_base_image_has_its_version() -> None:
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert bases
    assert [base for base in bases if not re.search(r":\d+\.\d+", base)] == []


def test_what_is_copied_into_the_image_leaves_secrets_out() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    assert rules[0] == "*"
    taken = {rule.lstrip("!") for rule in rules[1:] if rule.startswith("!")}
    assert taken == {"app", "migrations", "pyproject.toml", "requirements.lock", "README.md"}
