"""Local applications: added, installed, updated, removed; what their events carry (rest.md 2, 3.2)."""

from collections.abc import Iterable
from typing import Any

from . import offline
from .bindings import application_of
from .events import Cause
from .php import build_query
from .registry import Call, rest
from .world import Application, Binding, Record, World

WITH_REFRESH = frozenset({"ONAPPINSTALL", "ONAPPUPDATE", "ONAPPTEST", "ONOFFLINEEVENT"})
"""Events whose `auth` holds a refresh token (the product's source; most samples print it everywhere)."""
DEPTH = 7
"""How many generations of reactions by tokens of events the portal bears (rest.md 3.5)."""
_TOKENS = ("access_token", "expires", "expires_in", "scope", "status", "user_id")


def add(
    world: World, install_url: str, scopes: Iterable[str], installer: int, *, has_ui: bool
) -> Application:
    """Added by an administrator. Without an interface it is installed at once and told so by a post."""
    client_id = f"local.{world.oauth.word(14)}.{len(world.applications) + 10_000_001}"
    made = Application(
        world.next_id("application"), client_id, world.oauth.word(50), tuple(scopes), install_url, has_ui,
        installer, world.oauth.word(32),
    )  # fmt: skip
    world.applications[client_id] = made
    if not has_ui:
        _installed(world, made)
    return made


def again(world: World, application: Application) -> None:
    """Added once more after a removal: another application token, no subscriptions."""
    application.removed, application.finished = False, False
    application.application_token = world.oauth.word(32)
    if not application.has_ui:
        _installed(world, application)


def update(world: World, application: Application, *, new_token: bool = False) -> None:
    """A new version: whoever subscribed to it is told, and every subscription is gone."""
    application.version += 1
    if new_token:
        application.application_token = world.oauth.word(32)
    data = {"VERSION": str(application.version), "PREVIOUS_VERSION": str(application.version - 1)}
    handlers, application.bindings = application.bindings, []
    for one in handlers:
        if one.event == "ONAPPUPDATE":
            _post(world, application, one, "ONAPPUPDATE", data | {"LANGUAGE_ID": "ru"}, application.installer)


def remove(world: World, application: Application, *, clean: bool = True) -> None:
    """Uninstalled: its tokens are dead; whoever subscribed to it hears so, without a token."""
    handlers, application.bindings = application.bindings, []
    application.removed = True
    world.oauth.forget(application.client_id)
    world.offline[:] = [row for row in world.offline if row.application != application.client_id]
    for one in handlers:
        if one.event == "ONAPPUNINSTALL":
            _post(world, application, one, "ONAPPUNINSTALL", {"LANGUAGE_ID": "ru", "CLEAN": int(clean)}, 0)


def frame(world: World, application: Application, user: int) -> tuple[str, bytes]:
    """What the browser posts when the application's page is opened in a frame: address and form."""
    pair = world.oauth.pair(application.client_id, user)
    place = {"DOMAIN": world.events.host, "PROTOCOL": 1, "LANG": "ru", "APP_SID": world.oauth.word(32)}
    form = {
        "AUTH_ID": pair["access_token"], "AUTH_EXPIRES": pair["expires_in"],
        "REFRESH_ID": pair["refresh_token"], "member_id": pair["member_id"], "status": "L",
        "APPLICATION_TOKEN": application.application_token, "PLACEMENT": "DEFAULT",
        "PLACEMENT_OPTIONS": '{"any":"6\\/"}',
    }  # fmt: skip
    return f"{application.install_url}?{build_query(place)}", build_query(form).encode()


def tell(world: World, event: str, data: Record, cause: Cause) -> None:
    """An event for every application that hears events: posted, or into its offline queue."""
    for application in world.applications.values():
        if not application.finished or application.removed:
            continue
        for binding in [one for one in application.bindings if one.event == event]:
            if not binding.offline:
                _post(world, application, binding, event, data, binding.user or cause.user, cause)
            elif not _own(application, binding, cause):
                offline.note(world, application, binding, event, data, cause.user)
                _wake(world, application)


def _own(application: Application, binding: Binding, cause: Cause) -> bool:
    """The application's own act under the subscription's key of source: not queued for it."""
    key = (cause.client_id, cause.connector)
    return bool(cause.connector) and key == (application.client_id, binding.connector)


def _wake(world: World, application: Application) -> None:
    """ONOFFLINEEVENT: there is something in the queue; not oftener than its minTimeout."""
    for one in application.bindings:
        late = one.told_at is None or (world.now() - one.told_at).total_seconds() >= one.pause
        if one.event == "ONOFFLINEEVENT" and late:
            one.told_at = world.now()
            _post(world, application, one, "ONOFFLINEEVENT", {}, application.installer)


@rest("event.test", "")
def test(call: Call) -> Any:
    """ONAPPTEST to whoever subscribed to it, with the caller's parameters."""
    application = application_of(call)
    data = {"QUERY": dict(call.params), "LANGUAGE_ID": "ru"}
    for one in application.bindings:
        if one.event == "ONAPPTEST":
            _post(call.world, application, one, one.event, data, call.user)
    return 1


def _installed(world: World, application: Application) -> None:
    application.finished = True
    data = {"VERSION": str(application.version), "ACTIVE": "Y", "INSTALLED": "Y", "LANGUAGE_ID": "ru"}
    handler = Binding(0, "ONAPPINSTALL", application.install_url)
    _post(world, application, handler, "ONAPPINSTALL", data, application.installer)


def _post(
    world: World,
    application: Application,
    binding: Binding,
    event: str,
    data: Record,
    user: int,
    cause: Cause | None = None,
) -> None:
    depth = DEPTH if cause is None or cause.depth is None else cause.depth - 1
    auth = _auth(world, application, event, user, depth)
    world.events.post(binding.handler, event, data, auth, f"{application.client_id} {binding.id}")


def _auth(world: World, application: Application, event: str, user: int, depth: int) -> Record:
    """Five keys always; tokens of the acting user only where there is one (rest.md 3.2)."""
    known: Record = world.events.auth(application.application_token)
    if not user or event == "ONAPPUNINSTALL":
        return known
    if event in WITH_REFRESH:
        pair = world.oauth.pair(application.client_id, user, depth)
        return {name: pair[name] for name in (*_TOKENS, "refresh_token")} | known
    pair = world.oauth.pair(application.client_id, user, depth, lasting=False)
    return {name: pair[name] for name in _TOKENS} | known
