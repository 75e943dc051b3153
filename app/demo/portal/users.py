"""People, departments and what the portal says about itself (rest.md 6, 8, 10)."""

from collections.abc import Callable
from typing import Any

from . import errors, query
from .query import Column
from .registry import METHODS, Call, Page, mapping, rest
from .times import written
from .world import Department, Record, User, World


def shown(world: World, user: User) -> Record:
    """A person as user.get answers; what is not ISO in the product is not ISO here."""
    zone = world.profile.portal_zone
    at = written(world.instant(), zone)
    return {
        "ID": str(user.id), "ACTIVE": user.active, "NAME": user.name, "LAST_NAME": user.last_name,
        "SECOND_NAME": user.second_name, "EMAIL": user.email, "LAST_LOGIN": at,
        "DATE_REGISTER": written(user.registered_at, zone), "TIME_ZONE": user.time_zone, "IS_ONLINE": "N",
        "TIMESTAMP_X": "24.08.2023 13:19:39", "LAST_ACTIVITY_DATE": str(at)[:19].replace("T", " "),
        "PERSONAL_GENDER": "", "PERSONAL_WWW": "", "PERSONAL_BIRTHDAY": "", "PERSONAL_MOBILE": "",
        "PERSONAL_CITY": "", "WORK_PHONE": "", "WORK_POSITION": user.position, "UF_EMPLOYMENT_DATE": "",
        "UF_DEPARTMENT": list(user.departments), "USER_TYPE": "extranet" if user.extranet else "employee",
    }  # fmt: skip


def _columns() -> dict[str, Column]:
    def key(name: str) -> Callable[[User], Any]:
        return lambda user: getattr(user, name)

    columns = {
        upper: Column("string", key(name))
        for upper, name in (
            ("NAME", "name"), ("LAST_NAME", "last_name"), ("EMAIL", "email"), ("WORK_POSITION", "position"),
        )
    }  # fmt: skip
    columns["ID"] = Column("integer", key("id"))
    columns["ACTIVE"] = Column("boolean", lambda user: "Y" if user.active else "N")
    columns["UF_DEPARTMENT"] = Column("integer", lambda user: list(user.departments))
    columns["USER_TYPE"] = Column("string", lambda user: "extranet" if user.extranet else "employee")
    return columns


_COLUMNS = _columns()
_OWN_NAMES = frozenset({"FILTER", "SORT", "ORDER", "SELECT", "START", "ADMIN_MODE", "IMAGE_RESIZE"})


def _ignore(name: str) -> None:
    """People are searched leniently: what is not known is not looked at."""


@rest("user.get", "user")
def get(call: Call) -> Any:
    """Filter keys may stand in FILTER or beside it; bots are not people."""
    conditions = mapping(call.classic("filter"))
    conditions = {
        name: value for name, value in call.params.items() if name.upper() not in _OWN_NAMES
    } | conditions
    people = [one for one in call.world.users.values() if not (one.bot or one.connector or one.mail)]
    rows = query.chosen(people, conditions, _COLUMNS, call.world.profile.portal_zone, _ignore)
    order = {str(call.classic("sort") or "ID").upper(): call.classic("order") or "ASC"}
    rows = query.in_order(rows, order, _COLUMNS, "ID", _ignore)
    part, total, following = query.page(rows, call.classic("start"))
    return Page([shown(call.world, one) for one in part], total, following)


@rest("user.current", "user_brief")
def current(call: Call) -> Any:
    return shown(call.world, call.world.users[call.user])


@rest("department.get", "department")
def departments(call: Call) -> Any:
    columns = {
        "ID": Column("integer", lambda one: one.id),
        "NAME": Column("string", lambda one: one.name),
        "SORT": Column("integer", lambda one: one.sort),
        "PARENT": Column("integer", lambda one: one.parent),
        "UF_HEAD": Column("integer", lambda one: one.head),
    }
    conditions = {name: value for name, value in call.params.items() if name.upper() not in _OWN_NAMES}
    rows = query.chosen(
        call.world.departments.values(), conditions, columns, call.world.profile.portal_zone, _ignore
    )
    order = {str(call.classic("sort") or "ID").upper(): call.classic("order") or "ASC"}
    rows = query.in_order(rows, order, columns, "ID", _ignore)
    part, total, following = query.page(rows, call.classic("start"))
    return Page([_department(one) for one in part], total, following)


def _department(one: Department) -> Record:
    row: Record = {"ID": str(one.id), "NAME": one.name, "SORT": one.sort}
    row |= {"PARENT": str(one.parent)} if one.parent else {}
    return row | ({"UF_HEAD": str(one.head)} if one.head else {})


@rest("profile", "")
def profile(call: Call) -> Any:
    user = call.world.users[call.user]
    return {
        "ID": str(user.id),
        "ADMIN": user.admin,
        "NAME": user.name,
        "LAST_NAME": user.last_name,
        "PERSONAL_GENDER": "",
        "TIME_ZONE": user.time_zone,
    }


@rest("scope", "")
def scope(call: Call) -> Any:
    """Scopes granted; with `full` all there are."""
    return (
        sorted({one.scope for one in METHODS.values()} - {""}) if call.classic("full") else list(call.scopes)
    )


@rest("method.get", "")
def method(call: Call) -> Any:
    found = METHODS.get(str(call.params.get("name") or "").lower())
    return {
        "isExisting": found is not None,
        "isAvailable": found is not None and granted(found.scope, call.scopes),
    }


def granted(wanted: str, scopes: tuple[str, ...]) -> bool:
    """Whether the scopes of a credential cover a method; the three of people include each other downwards."""
    people = ("user", "user_basic", "user_brief")
    if wanted in people:
        return bool(set(people) & set(scopes))
    return not wanted or wanted in scopes


@rest("methods", "")
def methods(call: Call) -> Any:
    return sorted(one.name for one in METHODS.values() if granted(one.scope, call.scopes))


@rest("server.time", "")
def server_time(call: Call) -> Any:
    return written(call.world.instant(), call.world.profile.portal_zone)


@rest("feature.get", "")
def feature(call: Call) -> Any:
    code = call.classic("code")
    if not code:
        raise errors.RestError("CODE_EMPTY", "CODE can't be empty")
    return {"value": call.world.features.get(str(code), "N")}


def _application_only(call: Call) -> Any:
    raise errors.wrong_auth_type()


for _name in (
    "placement.bind", "placement.get", "placement.unbind",
    "userfieldtype.add", "bizproc.robot.add", "bizproc.activity.add",
):  # fmt: skip
    rest(_name, "")(_application_only)


@rest("calendar.settings.get", "calendar")
def calendar(call: Call) -> Any:
    """Working time of the portal: hours as strings, days without a year, no zone."""
    return {
        "work_time_start": "9", "work_time_end": "18",
        "year_holidays": "1.01,2.01,3.01,4.01,5.01,6.01,7.01,8.01,23.02,8.03,1.05,9.05,12.06,4.11",
        "year_workdays": "31.12", "week_holidays": ["SA", "SU"], "week_start": "MO",
        "user_name_template": "#NAME# #LAST_NAME#", "sync_by_push": False, "user_show_login": True,
        "path_to_user": "/company/personal/user/#user_id#/",
        "path_to_user_calendar": "/company/personal/user/#user_id#/calendar/",
        "path_to_group": "/workgroups/group/#group_id#/",
        "path_to_group_calendar": "/workgroups/group/#group_id#/calendar/", "path_to_vr": "",
        "path_to_rm": "",
        "rm_iblock_type": "", "rm_iblock_id": "", "dep_manager_sub": True, "denied_superpose_types": [],
        "pathes_for_sites": "", "forum_id": "8", "rm_for_sites": True, "path_to_type_company_calendar": "",
        "path_to_type_location": "", "path_to_type_open_event": "",
    }  # fmt: skip
