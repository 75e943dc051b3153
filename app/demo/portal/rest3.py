"""REST 3.0, under /rest/api/: other contracts, errors as objects, Idempotency-Key (rest.md 1.7).

Of it only what a support desk needs: tasks and the list of scopes. Requests fill the same bucket.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from . import errors, tasklife
from .calls import Calls, Credential
from .errors import RestError
from .limits import cost
from .php import listed, php_json
from .registry import Call, mapping, whole
from .tasks import readable
from .times import written
from .users import granted
from .world import Record, Task

KEPT = timedelta(hours=24)
PREFIX = "BITRIX_REST_V3_EXCEPTION_"
_KEY = re.compile(r"[\x21-\x7e]{1,255}")

Run = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """Of one request: status, body, whether an earlier answer is shown again."""

    status: int
    body: Record
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class _Kept:
    at: datetime
    request: str
    body: Record


@dataclass(slots=True)
class Rest3:
    """Runs calls of version 3; good answers are kept a day under their Idempotency-Key."""

    calls: Calls
    kept: dict[tuple[str, int, str, str], _Kept] = field(default_factory=dict)

    def answer(self, method: str, params: Record, who: Credential, key: str | None) -> Answer:
        self.calls.counted[method.lower()] += 1
        try:
            return self._answered(method, params, who, key)
        except RestError as refusal:
            self.calls.refused[str(refusal.code)] += 1
            return Answer(refusal.status, refusal.body)

    def _answered(self, method: str, params: Record, who: Credential, key: str | None) -> Answer:
        run = self._method(method, who)
        if key is None:
            return Answer(200, self._run(method, run, params, who))
        if not _KEY.fullmatch(key):
            raise refused("REQUEST_INVALIDIDEMPOTENCYKEYEXCEPTION", "Invalid Idempotency-Key")
        place = (who.key, who.user, method.lower(), key)
        request = json.dumps(params, sort_keys=True)
        earlier = self.kept.get(place)
        if earlier and self.calls.world.now() - earlier.at < KEPT:
            if earlier.request != request:
                raise refused(
                    "IDEMPOTENCYKEYREUSEDEXCEPTION", "Idempotency-Key is used with another body", 422
                )
            return Answer(200, earlier.body, replayed=True)
        body = self._run(method, run, params, who)
        self.kept[place] = _Kept(self.calls.world.now(), request, body)
        return Answer(200, body)

    def _method(self, name: str, who: Credential) -> Run:
        world = self.calls.world
        kind = self.calls.faults.call(name)
        if kind:
            raise _as_object(errors.canned(kind, world.profile))
        if not world.profile.v3:
            raise errors.no_method()
        found = METHODS.get(name.lower())
        if found is None:
            raise refused("METHODNOTFOUNDEXCEPTION", f"Method `{name}` not found", 404)
        if not granted(found[0], who.scopes):
            raise refused("INSUFFICIENTSCOPEEXCEPTION", "Insufficient scope", 403)
        if self.calls.operating.blocked(who.key, name, self.calls.seconds_now()):
            raise errors.operating_exceeded()
        return found[1]

    def _run(self, method: str, run: Run, params: Record, who: Credential) -> Record:
        seconds = cost(self.calls.world.profile, method)
        result = run(Call(self.calls.world, who.user, params, who.scopes))
        self.calls.operating.add(who.key, method, seconds, self.calls.seconds_now())
        return {"result": php_json(result), "time": self.calls.time(seconds, (who.key, method))}


def refused(code: str, message: str, status: int = 400, validation: list[Record] | None = None) -> RestError:
    """A refusal of version 3: `error` is an object."""
    told: Record = {"code": PREFIX + code, "message": message}
    if validation:
        told["validation"] = validation
    return RestError(PREFIX + code, message, status, {"error": told})


def _as_object(refusal: RestError) -> RestError:
    told = {"code": str(refusal.code).upper(), "message": refusal.text}
    return RestError(refusal.code, refusal.text, refusal.status, {"error": told})


def too_many() -> RestError:
    return refused("RATELIMITEXCEPTION", "Too many requests", 429)


METHODS: dict[str, tuple[str, Run]] = {}


def _rest3(name: str, scope: str) -> Callable[[Run], Run]:
    def enter(run: Run) -> Run:
        METHODS[name.lower()] = (scope, run)
        return run

    return enter


def _task(call: Call, number: Any) -> Task:
    task = call.world.tasks.get(int(number)) if whole(number) else None
    if task is None or not readable(call, task):
        raise refused("ENTITYNOTFOUNDEXCEPTION", f"Record with ID = `{number}` not found")
    return task


@_rest3("tasks.task.chat.message.send", "tasks")
def send(call: Call) -> Any:
    """Who may read the task may speak in its chat, a member of it or not."""
    fields = mapping(call.params.get("fields"))
    empty = [name for name in ("taskId", "text") if fields.get(name) in (None, "")]
    if empty:
        rows = [{"message": f'The required field "{name}" is not filled', "field": name} for name in empty]
        raise refused("VALIDATION_DTOVALIDATIONEXCEPTION", "Error during object validation", validation=rows)
    task = _task(call, fields["taskId"])
    if task.chat is None:
        raise refused("ENTITYNOTFOUNDEXCEPTION", "Chat of the task not found")
    tasklife.comment(call.world, task, str(fields["text"]), call.user)
    return {"result": True}


_STATUSES = {2: "pending", 3: "in_progress", 4: "supposedly_completed", 5: "completed", 6: "deferred"}
_PRIORITIES = {0: "low", 1: "average", 2: "high"}


@_rest3("tasks.task.get", "tasks")
def get(call: Call) -> Any:
    """The same name as in version 2 and nothing else alike: numbers, words for codes, `item`."""
    task = _task(call, call.params.get("id"))
    fields = task.fields
    zone = call.world.profile.user_zone
    item: Record = {
        "id": task.id, "title": fields["TITLE"], "description": fields["DESCRIPTION"],
        "creatorId": fields["CREATED_BY"], "responsibleId": fields["RESPONSIBLE_ID"],
        "deadline": written(fields["DEADLINE"], zone), "priority": _PRIORITIES[fields["PRIORITY"]],
        "status": _STATUSES[fields["STATUS"]], "statusChanged": written(task.status_at, zone),
        "created": written(task.created_at, zone), "changed": written(task.changed_at, zone),
        "closed": written(task.closed_at, zone), "activity": written(task.activity_at, zone),
        "groupId": fields["GROUP_ID"] or None, "stageId": fields["STAGE_ID"] or None,
        "chatId": task.chat, "crmItemIds": list(fields["UF_CRM_TASK"]),
        "link": f"/company/personal/user/{call.user}/tasks/task/view/{task.id}/",
    }  # fmt: skip
    wanted = {str(name).split(".")[0] for name in listed(call.params.get("select"))}
    unknown = sorted(wanted - item.keys() - {"responsible", "creator"})
    if unknown:
        raise refused("UNKNOWNDTOPROPERTYEXCEPTION", f"Unknown property `{unknown[0]}`")
    return {"item": {name: value for name, value in item.items() if not wanted or name in {*wanted, "id"}}}


@_rest3("rest.scope.list", "")
def scopes(call: Call) -> Any:
    return {"items": sorted(call.scopes)}
