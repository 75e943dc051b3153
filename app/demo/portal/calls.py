"""One call through the portal: fault, method, scope, running time, judge, run, and its `time`."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from . import errors
from .errors import RestError
from .events import Cause
from .faults import Faults
from .limits import Bucket, Operating, cost
from .registry import METHODS, Call, Page, Rest
from .spec import Judge
from .times import written
from .users import granted
from .world import Application, Record, World


@dataclass(frozen=True, slots=True)
class Credential:
    """Who calls and with which rights; `key` names it for the running-time limit."""

    key: str
    user: int
    scopes: tuple[str, ...]
    application: Application | None = None
    connector: str = ""
    depth: int | None = None

    @property
    def cause(self) -> Cause:
        """Whose act an event of this call comes of. A webhook inherits no depth (rest.md 3.5)."""
        client_id = self.application.client_id if self.application else ""
        return Cause(self.user, client_id, self.connector, self.depth)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of one call: an answer or a refusal, and its `time`."""

    page: Page | None
    error: RestError | None
    time: Record
    seconds: float


@dataclass(slots=True)
class Calls:
    """Runs calls and counts them."""

    world: World
    bucket: Bucket
    operating: Operating
    faults: Faults
    judge: Judge = field(default_factory=Judge)
    counted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def seconds_now(self) -> float:
        return self.world.now().timestamp()

    def run(
        self, name: str, params: dict[str, Any], who: Credential, *, inside_batch: bool = False
    ) -> Outcome:
        """One call, alone or as a command of a batch. Never raises: a refusal is in the outcome."""
        self.counted[name.lower()] += 1
        seconds = cost(self.world.profile, name)
        page, error = None, None
        try:
            page = self._answer(name, params, who)
        except RestError as refusal:
            error, seconds = refusal, 0.01
        self._count(error)
        payer = self._payer(name, inside_batch=inside_batch)
        if payer:
            self.operating.add(who.key, payer, seconds, self.seconds_now())
        time = self.time(seconds, (who.key, payer or name), inside_batch=inside_batch)
        return Outcome(page, error, time, seconds)

    def _answer(self, name: str, params: dict[str, Any], who: Credential) -> Page:
        self._break(name)
        method = self._method(name, who)
        if self.operating.blocked(who.key, name, self.seconds_now()):
            raise errors.operating_exceeded()
        self.judge.check(method.name, params)
        result = method.run(Call(self.world, who.user, params, who.scopes, who.application, who.connector))
        return self._counted(result, params) if isinstance(result, Page) else Page(result)

    def _counted(self, page: Page, params: dict[str, Any]) -> Page:
        """With the counting turned off, `total` is 0 or not there (rest.md 1.6)."""
        uncounted = str(params.get("start")) == "-1" and self.world.profile.uncounted == "absent"
        return replace(page, total=None) if uncounted else page

    def _break(self, name: str) -> None:
        kind = self.faults.call(name)
        if kind:
            raise errors.canned(kind, self.world.profile)

    def _method(self, name: str, who: Credential) -> Rest:
        method = METHODS.get(name.lower())
        if method is None:
            raise errors.no_method()
        if not granted(method.scope, who.scopes):
            raise errors.bad_scope(self.world.profile)
        return method

    def _count(self, error: RestError | None) -> None:
        if error:
            self.refused[str(error.code)] += 1

    def _payer(self, name: str, *, inside_batch: bool) -> str:
        """Which method the running time is billed to; empty for nobody."""
        billed = self.world.profile.batch_billed
        if not inside_batch or billed == "method":
            return name
        return "batch" if billed == "batch" else ""

    def time(self, seconds: float, billed: tuple[str, str], *, inside_batch: bool = False) -> Record:
        """The `time` of an answer; commands of a batch do not say when their running time is reset."""
        profile, start = self.world.profile, self.world.now()
        at = start.timestamp()
        block: Record = {
            "start": int(at) if profile.whole_start else round(at, 6),
            "finish": round(at + seconds, 6),
            "duration": seconds,
            "processing": 0 if profile.whole_start else seconds,
            "date_start": written(start, profile.portal_zone),
            "date_finish": written(start, profile.portal_zone),
        }
        if profile.operating is not None:
            block |= {} if inside_batch else {"operating_reset_at": self.operating.reset_at(*billed, at)}
            block["operating"] = round(self.operating.used(*billed, at), 6)
        return block
