"""What people do in the CRM, for tests and the scripted day, without REST and without its limits."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from . import activities, directories, items, openlines, timeline, userfields
from .events import Cause
from .fields import COMPANY, CONTACT, DEAL
from .world import Owner, Record, User, UserField, World


class CrmActs:
    """Part of EmulatedPortal: deals, smart items, clients, activities, notes."""

    world: World

    def add_funnel(self, name: str, stages: directories.StageRows, entity_type: int = DEAL) -> int:
        """A new funnel; stages are (code, name, P|S|F). Answers the category's number."""
        return directories.add_funnel(self.world, entity_type, name, stages)

    def add_type(self, title: str, entity_type: int | None = None) -> tuple[int, int]:
        """A smart process with its default funnel: (entity type, type id)."""
        made = directories.add_type(self.world, title, entity_type)
        return made.entity_type, made.id

    def number_from(self, entity_type: int, first: int) -> None:
        """The next item of this type gets this number, as on a portal with a past."""
        self.world.ids[f"item{entity_type}"] = first - 1

    def relate(self, parent: int, child: int) -> None:
        """Items of `child` may have an item of `parent` as their parent: a field parentId<parent>."""
        self.world.relations.append((parent, child))

    def stage(self, entity_type: int, category: int, code: str) -> str:
        """The full id of a stage. Raises LookupError when the funnel has none with this code."""
        found = directories.find_stage(self.world, entity_type, category, code)
        if found is None:
            raise LookupError(f"no stage {code} in funnel {category} of {entity_type}")
        return found.status

    def default_category(self, entity_type: int) -> int:
        return directories.default_category(self.world, entity_type)

    def add_userfield(
        self,
        entity_id: str,
        name: str,
        kind: str,
        *,
        options: Iterable[tuple[str, str]] = (),
        multiple: bool = False,
        settings: Record | None = None,
        label: str = "",
    ) -> int:
        """A custom field of CRM_DEAL, CRM_<type id> or TASKS_TASK; options are (XML_ID, value)."""
        rows = [
            {"XML_ID": code, "VALUE": value, "SORT": 10 * place}
            for place, (code, value) in enumerate(options, 1)
        ]
        fields: Record = {"MULTIPLE": "Y" if multiple else "N", "LIST": rows, "LABEL": label or name}
        fields |= {"SETTINGS": settings} if settings else {}
        prefix = "UF_" if entity_id == "TASKS_TASK" else _prefix(entity_id)
        full = userfields.full_name(name, prefix)
        return userfields.create(self.world, entity_id, full, kind, fields, userfields.CRM_TYPES).id

    def remove_userfields(self, tail: str) -> int:
        """The administrator deletes every custom field whose name ends like this; how many there were."""
        gone = [one for one in self.world.userfields if one.name.endswith(tail)]
        for field in gone:
            userfields.remove(self.world, field)
        return len(gone)

    def add_contact(
        self, name: str, last_name: str = "", phone: str = "", email: str = "", company: int | None = None
    ) -> int:
        fields = {"name": name, "lastName": last_name, "companyId": company}
        return self._add_client(CONTACT, fields, phone, email)

    def add_company(self, title: str, phone: str = "", email: str = "") -> int:
        return self._add_client(COMPANY, {"title": title}, phone, email)

    def _add_client(self, entity_type: int, fields: Record, phone: str, email: str) -> int:
        item = items.create(self.world, entity_type, fields, 1)
        item["fm"] = [self._way(kind, value) for kind, value in (("PHONE", phone), ("EMAIL", email)) if value]
        for one in item["fm"]:
            item[f"has{one['typeId'].capitalize()}"] = "Y"
        return int(item["id"])

    def _way(self, kind: str, value: str) -> Record:
        number = self.world.next_id("multifield") + 100
        return {"id": number, "valueType": "WORK", "value": value, "typeId": kind}

    def add_deal(  # noqa: PLR0913 - a card has as many blanks
        self,
        title: str,
        *,
        category: int = 0,
        stage: str | None = None,
        by: int = 1,
        assigned: int | None = None,
        contact: int | None = None,
        company: int | None = None,
        comments: str = "",
        source: str = "EMAIL",
        fields: Mapping[str, Any] = {},
    ) -> int:
        more = {"comments": comments, "sourceId": source, **fields}
        return self.add_item(
            DEAL, title, category=category, stage=stage, by=by, assigned=assigned, contact=contact,
            company=company,
            fields=more,
        )  # fmt: skip

    def add_item(  # noqa: PLR0913 - a card has as many blanks
        self,
        entity_type: int,
        title: str,
        *,
        category: int | None = None,
        stage: str | None = None,
        by: int = 1,
        assigned: int | None = None,
        contact: int | None = None,
        company: int | None = None,
        fields: Mapping[str, Any] = {},
    ) -> int:
        place = {"categoryId": category, "stageId": stage, "assignedById": assigned or by or 1}
        links = {"contactId": contact, "companyId": company}
        written = {"title": title, **place, **links, **self._options(entity_type, fields)}
        with self.world.events.hit():
            made = items.create(
                self.world, entity_type, {k: v for k, v in written.items() if v is not None}, by
            )
        return int(made["id"])

    def _options(self, entity_type: int, fields: Mapping[str, Any]) -> Record:
        """Enumerations may be given by XML_ID as well as by option id."""
        known = items.fields_of(self.world, entity_type)
        return {name: _option_id(known.get(name), value) for name, value in fields.items()}

    def _item(self, entity_type: int, number: int) -> Record:
        found = items.find(self.world, entity_type, number)
        if found is None:
            raise LookupError(f"no item {number} of type {entity_type}")
        return found

    def update_item(self, entity_type: int, number: int, fields: Mapping[str, Any], by: int = 1) -> bool:
        """A person saves the card; False when nothing changed."""
        item = self._item(entity_type, number)
        with self.world.events.hit():
            return items.update(self.world, entity_type, item, self._options(entity_type, fields), by)

    def move(self, entity_type: int, number: int, stage: str, by: int = 1) -> bool:
        return self.update_item(entity_type, number, {"stageId": stage}, by)

    def move_funnel(
        self, entity_type: int, number: int, category: int, stage: str | None = None, by: int = 1
    ) -> bool:
        place: Record = {"categoryId": category} | ({"stageId": stage} if stage else {})
        return self.update_item(entity_type, number, place, by)

    def delete_item(self, entity_type: int, number: int, by: int = 1) -> None:
        """Into the recycle bin."""
        with self.world.events.hit(Cause(by)):
            if not items.delete(self.world, entity_type, number):
                raise LookupError(f"no item {number} of type {entity_type}")

    def restore(self, entity_type: int, number: int, by: int = 1) -> None:
        with self.world.events.hit(Cause(by)):
            items.restore(self.world, entity_type, number)

    def add_email(
        self,
        owner: Owner,
        direction: int,
        subject: str = "",
        text: str = "",
        by: int | None = None,
        bindings: Iterable[Owner] = (),
    ) -> int:
        """An e-mail: direction 1 from the client, 2 from us; by the responsible unless said otherwise."""
        person = by if by is not None else self._responsible(owner)
        fields = {
            "TYPE_ID": activities.EMAIL, "DIRECTION": direction, "SUBJECT": subject, "DESCRIPTION": text,
            "DESCRIPTION_TYPE": 3, "COMPLETED": "Y" if direction == 2 else "N",
        }  # fmt: skip
        return int(activities.create(self.world, owner, fields, person, tuple(bindings))["ID"])

    def add_call(
        self,
        owner: Owner,
        direction: int,
        by: int | None = None,
        *,
        completed: bool = True,
        answered: bool = True,
        start: datetime | None = None,
        bindings: Iterable[Owner] = (),
    ) -> int:
        """A call, direction as for mail. Missed: SETTINGS.MISSED_CALL; a planned one is not completed."""
        person = by if by is not None else self._responsible(owner)
        at = start or self.world.instant()
        fields: Record = {
            "TYPE_ID": activities.CALL, "DIRECTION": direction, "SUBJECT": "Исходящий звонок",
            "START_TIME": at,
            "END_TIME": at, "DEADLINE": at, "COMPLETED": "Y" if completed else "N",
            "SETTINGS": {} if answered else {"MISSED_CALL": True},
        }  # fmt: skip
        fields["SUBJECT"] = "Входящий звонок" if direction == 1 else "Исходящий звонок"
        return int(activities.create(self.world, owner, fields, person, tuple(bindings))["ID"])

    def add_open_line(
        self, owner: Owner, session: int | None = None, by: int = 0, connector: str = "telegram"
    ) -> int:
        """A client's messenger session at an item; its activity. `by` is the operator."""
        agent = by or self._responsible(owner)
        made = openlines.start(self.world, owner, agent, connector, session)
        fields = {
            "TYPE_ID": activities.PROVIDED, "PROVIDER_ID": "IMOPENLINES_SESSION", "PROVIDER_TYPE_ID": "1",
            "ASSOCIATED_ENTITY_ID": made.id, "DIRECTION": 1, "SUBJECT": "Обращение в открытую линию",
        }  # fmt: skip
        return int(activities.create(self.world, owner, fields, agent)["ID"])

    def open_line_of(self, activity: int) -> int:
        """The session that an activity stands for."""
        return int(self.world.activities[activity]["ASSOCIATED_ENTITY_ID"])

    def line_dialog(self, session: int) -> str:
        """The dialog of a session's chat."""
        return f"chat{self.world.sessions[session].chat}"

    def open_line_says(
        self, session: int, text: str, by: int | str = "client", *, automatic: bool = False
    ) -> int:
        """A message: `by` is "client", "agent", "bot", a user, or 0 for the line itself."""
        found = self.world.sessions[session]
        known = {"client": found.client, "agent": found.agent}
        author = known.get(by) or self._line_bot() if isinstance(by, str) else by
        return openlines.say(self.world, found, author, text, automatic=automatic).id

    def close_open_line(self, session: int, by: int = 1) -> None:
        """The dialogue is over: the session's activity becomes completed."""
        openlines.finish(self.world, self.world.sessions[session])
        for number, row in self.world.activities.items():
            if (row["PROVIDER_ID"], row["ASSOCIATED_ENTITY_ID"]) == ("IMOPENLINES_SESSION", session):
                activities.change(self.world, self.world.activities[number], {"COMPLETED": "Y"}, by)

    def _line_bot(self) -> int:
        """The bot that greets clients."""
        known = (user.id for user in self.world.users.values() if user.bot and user.name == "Встречающий")
        number = next(known, None) or max([*self.world.users, 799]) + 1
        self.world.users.setdefault(number, User(number, "Встречающий", bot=True, departments=()))
        return number

    def _responsible(self, owner: Owner) -> int:
        item = items.find(self.world, *owner)
        return int(item["assignedById"]) if item and item.get("assignedById") else 1

    def update_activity(self, number: int, fields: Mapping[str, Any], by: int = 1) -> bool:
        """Change an activity by UPPER_SNAKE fields as kept (numbers as int, instants as aware datetimes)."""
        return activities.change(self.world, self.world.activities[number], dict(fields), by)

    def bind_activity(self, number: int, owner: Owner) -> None:
        """Bind an activity to one more item, as the portal does with mail a moment after the deal appears."""
        self.world.activities[number]["bindings"].append(owner)
        self.world.events.raise_event("ONCRMACTIVITYUPDATE", {"FIELDS": {"ID": number}})

    def delete_activity(self, number: int, by: int = 1) -> None:
        activities.remove(self.world, number)

    def add_timeline_note(self, owner: Owner, text: str, by: int = 1) -> int:
        return timeline.create(self.world, owner, text, by).id

    # reading back

    def item(self, entity_type: int, number: int) -> Record | None:
        """An item as kept: camelCase and original UF names, instants in UTC; None when there is none."""
        found = items.find(self.world, entity_type, number)
        return dict(found) if found else None

    def sla(self, entity_type: int | str, number: int) -> Record:
        """The SLA fields that are filled, by their tails; lists by XML_ID: {'SLA_CLASS': 'emergency', …}."""
        if entity_type == "task":
            entity, values = "TASKS_TASK", self.world.tasks[number].fields
        else:
            entity, values = (
                items.entity_code(self.world, int(entity_type)),
                self._item(int(entity_type), number),
            )
        known = items.user_fields(self.world, entity)
        return {
            name[name.index("SLA_") :]: _by_xml_id(field, values[name])
            for name, field in known.items()
            if "SLA_" in name and values.get(name) is not None
        }

    def stage_history(self, entity_type: int, number: int) -> list[tuple[datetime, int, str]]:
        """(when, type of change, stage) of an item, oldest first."""
        rows = [
            one for one in self.world.stage_history if (one.entity_type, one.owner) == (entity_type, number)
        ]
        return [(one.at, one.type, one.stage) for one in rows]

    def activities(self, owner: Owner) -> list[Record]:
        """Activities bound to an item, as crm.activity.get answers them."""
        rows = [one for one in self.world.activities.values() if owner in one["bindings"]]
        return [activities.shown(self.world, one) for one in rows]

    def timeline(self, entity_type: int, number: int) -> list[Record]:
        rows = [one for one in self.world.comments.values() if one.owner == (entity_type, number)]
        return [{"id": one.id, "author": one.author, "text": one.text, "at": one.at} for one in rows]


def _prefix(entity_id: str) -> str:
    tail = entity_id.removeprefix("CRM_")
    return f"UF_CRM_{tail}_" if tail.isdigit() else "UF_CRM_"


def _option_id(field: UserField | None, value: Any) -> Any:
    if field is None or field.type != "enumeration" or isinstance(value, list):
        return value
    return next((one.id for one in field.options if one.xml_id == value), value)


def _by_xml_id(field: UserField, value: Any) -> Any:
    if field.type != "enumeration":
        return value
    codes = {one.id: one.xml_id for one in field.options}
    return [codes.get(one, one) for one in value] if isinstance(value, list) else codes.get(value, value)
