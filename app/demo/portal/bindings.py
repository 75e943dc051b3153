"""Subscriptions by an application: `events`, `event.bind|unbind|get|test`, and `app.info` (rest.md 3.3)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from . import errors
from .registry import Call, integer, mapping, rest
from .world import Application, Binding, World

_VERBS = ("ADD", "UPDATE", "DELETE")
_FAMILIES = {
    "crm": ("ONCRMDEAL", "ONCRMLEAD", "ONCRMCONTACT", "ONCRMCOMPANY", "ONCRMACTIVITY", "ONCRMTIMELINECOMMENT",
            "ONCRMDYNAMICITEM", "ONCRMTYPE"),
    "task": ("ONTASK", "ONTASKCOMMENT"),
}  # fmt: skip
_SINGLE = {
    "": ("ONAPPINSTALL", "ONAPPUPDATE", "ONAPPUNINSTALL", "ONAPPTEST", "ONOFFLINEEVENT"),
    "crm": ("ONCRMDEALMOVETOCATEGORY",),
    "user": ("ONUSERADD",),
}
_NO_OFFLINE = frozenset({"ONOFFLINEEVENT", "ONAPPTEST"})


def names(world: World, scopes: tuple[str, ...]) -> list[str]:
    """Every event that these scopes give, types' own ones included."""
    found: list[str] = []
    for scope in ("", *scopes):
        for family in _FAMILIES.get(scope, ()):
            found += [family + verb for verb in _VERBS]
        found += _SINGLE.get(scope, ())
    if "crm" in scopes:
        found += [f"ONCRMDYNAMICITEM{verb}_{entity}" for entity in world.types for verb in _VERBS]
    return found


def application_of(call: Call) -> Application:
    """The calling application; a webhook is refused."""
    if call.application is None:
        raise errors.wrong_auth_type()
    return call.application


def upper(call: Call) -> Mapping[str, Any]:
    """event.* raise the case of all their parameters themselves (rest.md 1.2)."""
    return {name.upper(): value for name, value in call.params.items()}


@rest("app.info", "")
def app_info(call: Call) -> Any:
    application = call.application
    if application is None:
        raise errors.RestError("ACCESS_DENIED", "Access denied! Application context required", 403)
    return {
        "ID": application.id, "CODE": application.client_id, "VERSION": application.version, "STATUS": "L",
        "INSTALLED": application.finished, "PAYMENT_EXPIRED": "N", "DAYS": None, "LANGUAGE_ID": "ru",
        "LICENSE": call.world.profile.license, "LICENSE_TYPE": call.world.profile.license.partition("_")[2],
        "LICENSE_FAMILY": call.world.profile.license.partition("_")[2].rstrip("0123456789"),
    }  # fmt: skip


@rest("events", "")
def events(call: Call) -> Any:
    application = application_of(call)
    params = upper(call)
    scope = params.get("SCOPE")
    if scope:
        return names(call.world, (str(scope),))[len(names(call.world, ())) :]
    return names(call.world, ("crm", "task", "user") if params.get("FULL") else application.scopes)


@rest("event.bind", "")
def bind(call: Call) -> Any:
    application, params = application_of(call), upper(call)
    made = _binding(call, params)
    _check_handler(call, made.handler)
    if made.event not in names(call.world, application.scopes):
        raise errors.RestError("ERROR_EVENT_NOT_FOUND", "Event not found")
    if made.offline and made.event in _NO_OFFLINE:
        raise errors.RestError("ERROR_ARGUMENT", "Offline event cannot be registered for this event.")
    if any(_same(made, one) for one in application.bindings):
        raise errors.core("Unable to set event handler: Обработчик с такими параметрами уже установлен")
    application.bindings.append(made)
    return True


def _binding(call: Call, params: Mapping[str, Any]) -> Binding:
    event, handler = str(params.get("EVENT") or "").upper(), str(params.get("HANDLER") or "")
    offline, user = _is_offline(params), integer(params.get("AUTH_TYPE"))
    if not event:
        raise _null("EVENT")
    if offline:
        call.needs_admin(_denied("Offline events binding requires administrator access rights"))
        handler, user = "", 0
    elif not handler:
        raise _null("HANDLER")
    if user not in (0, call.user):
        call.needs_admin(_denied("Event binding with AUTH_TYPE requires administrator access rights"))
    own = user or (0 if call.admin or offline else call.user)
    pause = integer(mapping(params.get("OPTIONS")).get("minTimeout") or 1)
    number = call.world.next_id("binding")
    return Binding(number, event, handler, own, call.connector if offline else "", pause)


def _is_offline(params: Mapping[str, Any]) -> bool:
    kind = str(params.get("EVENT_TYPE") or "online").lower()
    if kind not in ("online", "offline"):
        raise errors.RestError("ERROR_ARGUMENT", "Value must be one of {online|offline}")
    return kind == "offline"


def _check_handler(call: Call, handler: str) -> None:
    parts = urlsplit(handler)
    if handler and parts.scheme not in ("http", "https"):
        raise errors.RestError("ERROR_UNSUPPORTED_PROTOCOL", "Unsupported event handler protocol")
    if handler and "." not in (parts.hostname or "") and not call.world.profile.loopback_handlers:
        raise errors.RestError("ERROR_WRONG_HANDLER_URL", "Wrong handler URL")


def _same(one: Binding, other: Binding) -> bool:
    return all(
        getattr(one, name) == getattr(other, name) for name in ("event", "handler", "user", "connector")
    )


@rest("event.unbind", "")
def unbind(call: Call) -> Any:
    application, params = application_of(call), upper(call)
    event, handler = str(params.get("EVENT") or "").upper(), str(params.get("HANDLER") or "")
    offline = _is_offline(params)
    if not event:
        raise _null("EVENT")
    if offline:
        call.needs_admin(_denied("Offline events unbinding requires administrator access rights"))
        gone = [one for one in application.bindings if one.event == event and one.offline
                and one.connector == call.connector]  # fmt: skip
    elif not handler:
        raise _null("HANDLER")
    else:
        gone = [one for one in application.bindings if (one.event, one.handler) == (event, handler)]
        if params.get("AUTH_TYPE") is not None:
            gone = [one for one in gone if one.user == integer(params["AUTH_TYPE"])]
    application.bindings = [one for one in application.bindings if one not in gone]
    return {"count": len(gone)}


@rest("event.get", "")
def get(call: Call) -> Any:
    seen = [one for one in application_of(call).bindings if call.admin or one.user == call.user]
    return [_shown(one) for one in seen]


def _shown(one: Binding) -> dict[str, Any]:
    if one.offline:
        return {"event": one.event, "connector_id": one.connector, "offline": 1}
    return {"event": one.event, "handler": one.handler, "auth_type": str(one.user), "offline": 0}


def _denied(text: str) -> errors.RestError:
    return errors.RestError("ACCESS_DENIED", f"Access denied! {text}", 403)


def _null(name: str) -> errors.RestError:
    return errors.RestError("ERROR_ARGUMENT", f"Argument '{name}' is null or empty", extra={"argument": name})
