"""What differs between portals: tariff, deployment, and every point where the documented sources conflict."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta, timezone
from typing import Literal

MOSCOW = timezone(timedelta(hours=3))
YEKATERINBURG = timezone(timedelta(hours=5))


@dataclass(frozen=True, slots=True)
class Profile:
    """One kind of portal. Defaults are a cloud portal of a standard tariff."""

    name: str
    bucket: int | None = 50
    """Requests a client address may have in the bucket; None: no limit."""
    drain: float = 2.0
    """Requests a second that leave the bucket."""
    refused_count: bool = False
    """Whether refused requests raise the counter too (unknown)."""
    operating: float | None = 480.0
    """Seconds a method may run in ten minutes; None: the limiter is off and `time` lacks its keys."""
    batch_billed: Literal["method", "batch", "nobody"] = "method"
    """Who pays for the commands of a batch: docs, a measurement, the source for webhooks."""
    costs: Mapping[str, float] = field(default_factory=dict)
    """Seconds a method takes; the rest by kind (limits.py)."""
    whole_start: bool = False
    """`time.start` is a whole number, as newer controllers answer."""
    credentials_status: int = 401
    """INVALID_CREDENTIALS and insufficient_scope: 401 (source, SDK) or 403 (docs)."""
    overload_status: int = 503
    deleted_status: int = 500
    user_access_status: int = 403
    portal_zone: timezone = MOSCOW
    user_zone: timezone = YEKATERINBURG
    """The zone of whoever calls: tasks answer in it."""
    task_card: Literal["chat", "comments"] = "chat"
    """New card (tasks 25.700.0 and later) with a chat, or the old one with forum comments."""
    kanban_history: Literal["STAGE_ID", "STAGE"] = "STAGE_ID"
    """A move in the kanban in a task's history: by number (docs), or by title as the kanban writes it."""
    original_names: bool = True
    """`useOriginalUfNames` is honoured; a CRM before 25.0.0 ignores it."""
    v3: bool = True
    """REST 3.0 under /rest/api/ is there."""
    comment_before: Literal["undefined", "N"] = "undefined"
    """`IS_ACCESSIBLE_BEFORE` of ONTASKCOMMENTADD: docs or source."""
    timeline_event: Literal["fields", "flat"] = "fields"
    """`data[FIELDS][ID]` (source) or `data[ID]` (docs) of the timeline comment events."""
    handler_id: bool = True
    """Events carry `event_handler_id`; old samples lack it."""
    funnel_move: Literal["both", "category"] = "both"
    """A move between funnels fires the category event and the update (source) or the former alone (docs)."""
    license: str = "ru_std"
    """The tariff as app.info tells it."""
    features: tuple[str, ...] = ()
    """What feature.get affirms: rest_offline_extended, rest_auth_connector (rest.md 3.4)."""
    loopback_handlers: bool = True
    """Handlers without a dot in the host are taken, unlike the product."""
    event_ts: Literal["built", "sent"] = "built"
    """`ts` of an event is that of the change (source) or of the posting (docs)."""
    restored: Literal["add", "update", "nothing"] = "add"
    """What is heard of an item that comes back from the bin (unknown); the same of an import and a merge."""
    uncounted: Literal["zero", "absent"] = "zero"
    """`total` of a list asked for with `start=-1`."""
    all_has_own: bool = True
    """`select: ["*"]` of crm.item.list brings custom fields too (unknown)."""
    empty_multiple: Literal["any", "list", "false", "text"] = "any"
    """An empty multiple custom field in a classic answer (unknown): any of three forms, or always one."""
    required_code: str = "CRM_FIELD_ERROR_REQUIRED"
    """The refusal of a move to a stage that wants a field (unknown; the docs also print «-»)."""


CLOUD_STD = Profile("cloud-std")
EXTENDED = ("rest_offline_extended", "rest_auth_connector")
ENTERPRISE = replace(
    CLOUD_STD, name="cloud-enterprise", bucket=250, drain=5.0, license="ru_ent250", features=EXTENDED
)
UNLIMITED = replace(CLOUD_STD, name="unlimited", bucket=None, operating=None)
SELF_HOSTED = replace(
    CLOUD_STD,
    name="self-hosted",
    bucket=None,
    operating=None,
    whole_start=True,
    credentials_status=403,
    overload_status=401,
    user_access_status=401,
    task_card="comments",
    kanban_history="STAGE",
    v3=False,
    comment_before="N",
    funnel_move="category",
    timeline_event="flat",
)
