"""The tables, one definition for both databases.

Promises: every question that is asked all day has an index that holds at a million tickets
(a partial one where only few rows matter); `migrations/` always equals this file (a test compares).
Instants are UtcDateTime; JSON columns hold plain JSON made by codec.py; lanes and orders are small numbers.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.model import Lane
from app.store.dialects import OuterText, UtcDateTime

metadata = sa.MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_name)s", "pk": "pk_%(table_name)s"},
)

LANES = tuple(Lane)
"""The number of a lane is its place here: smaller is more urgent."""


def _at(name: str, *, required: bool = False) -> sa.Column[Any]:
    return sa.Column(name, UtcDateTime, nullable=not required)


def _text(name: str, *, required: bool = True) -> sa.Column[Any]:
    return sa.Column(name, OuterText, nullable=not required)


def _json(name: str, *, required: bool = True) -> sa.Column[Any]:
    # JSON, not JSONB: it keeps text as written, NUL escapes included, and we never search inside.
    return sa.Column(name, sa.JSON(none_as_null=True), nullable=not required)


def _number(name: str, *, required: bool = True) -> sa.Column[Any]:
    return sa.Column(name, sa.BigInteger, nullable=not required)


def _flag(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Boolean, nullable=False)


def _key(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, OuterText, primary_key=True, nullable=False) for name in names]


def _index(name: str, *columns: str, only: str | None = None) -> sa.Index:
    """With `only` a partial index, as small as the rows that matter; both databases read the condition."""
    if only is None:
        return sa.Index(name, *columns)
    return sa.Index(name, *columns, sqlite_where=sa.text(only), postgresql_where=sa.text(only))


inbox = sa.Table(
    "inbox",
    metadata,
    *_key("subject"),
    _number("seq"),  # raised by every event: `done` removes only what was claimed
    _number("lane"),
    _text("cause"),
    _at("since_at", required=True),  # the oldest event that nobody has handled
    _at("last_at", required=True),  # the newest
    _at("due_at", required=True),
    _number("attempts"),
    _text("error"),
    _text("claimed_by", required=False),
    _at("claimed_until"),
    _at("failed_at"),
    _index("ix_inbox_work", "lane", "due_at", only="failed_at IS NULL"),
)

arrivals = sa.Table(
    "arrivals",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
    _at("at", required=True),
    _text("events"),  # of one commit, as JSON: [subject, lane, cause] each
)

facts = sa.Table(
    "facts",
    metadata,
    *_key("ref", "kind", "key"),
    _at("happened_at", required=True),
    _at("recorded_at", required=True),
    _number("actor", required=False),
    _json("value"),
    _index("ix_facts_utterance", "key", only="kind = 'utterance'"),  # whose is this activity or comment?
    _index("ix_facts_recorded", "recorded_at", "ref"),  # what was learned since?
    sqlite_with_rowid=False,  # a ticket's facts lie together
)

tickets = sa.Table(
    "tickets",
    metadata,
    *_key("ref"),
    _number("cycle"),
    _text("state"),
    _text("value"),
    _text("area"),
    _number("agent", required=False),
    _text("client"),
    _text("sla_state", required=False),
    _flag("open"),
    _at("created_at", required=True),
    _at("started_at", required=True),
    _at("reply_due"),
    _at("solve_due"),
    _at("next_at"),
    _at("read_at", required=True),
    _number("urgency"),  # smaller is more urgent: tickets.py
    _text("title_folded"),  # SQLite's lower() does not know Cyrillic
    _json("body"),
    _at("purged_at"),  # when its words were taken away
    # Of the last reading's cursor: what every sweep has to look into. Versions before 0006 leave it empty.
    sa.Column("cursor_names", OuterText, nullable=False, server_default=""),
    _index("ix_tickets_next", "next_at", only="next_at IS NOT NULL"),
    _index("ix_tickets_open", "urgency", "ref", only="open"),
    _index("ix_tickets_urgency", "urgency", "ref"),
    _index("ix_tickets_state", "state", "urgency", "ref"),
    _index("ix_tickets_value", "value", "urgency", "ref"),
    _index("ix_tickets_agent", "agent", "urgency", "ref"),
    _index("ix_tickets_kept", "started_at", "ref", only="purged_at IS NULL"),
    _index("ix_tickets_cursors", "cursor_names", only="open AND cursor_names > ''"),
    _index("ix_tickets_tally", "sla_state", only="open"),
    _index("ix_tickets_emergencies", "value", "ref", only="open AND value = 'emergency'"),
)

# Spelt as in the partial indexes: SQLite uses one only for the very same words, and `open = 1` is not `open`.
IS_OPEN = sa.text("open")
IS_EMERGENCY = sa.text("value = 'emergency'")
HAS_CURSOR = sa.text("cursor_names > ''")
IN_WORK = sa.text("state IN ('waiting', 'sending')")

outcomes = sa.Table(
    "outcomes",
    metadata,
    *_key("ref"),
    sa.Column("cycle", sa.BigInteger, primary_key=True, nullable=False, autoincrement=False),
    _text("value"),
    _text("area"),
    _text("state"),
    _number("agent", required=False),
    _number("reply_agent", required=False),
    _number("solve_agent", required=False),
    _flag("counted"),
    _at("received_at", required=True),
    _at("first_reply_at"),
    _at("reply_due"),
    _text("reply_outcome", required=False),
    _at("reply_outcome_at"),
    _at("first_solved_at"),
    _at("solved_at"),
    _at("solve_due"),
    _text("solve_outcome", required=False),
    _at("solve_outcome_at"),
    _at("escalated_at"),
    _at("reopened_at"),  # the last of them
    _at("closed_at"),
    _at("ended_at"),  # the last of all these instants; empty while the cycle is open
    _json("body"),
    # Asked as "alive between a and b": one range of this index, the second column filters inside it.
    _index("ix_outcomes_life", "ended_at", "received_at"),
)

# What decides a cycle's verdicts, in numbers: questions over a hundred thousand tickets read only this.
tracks = sa.Table(
    "tracks",
    metadata,
    *_key("ref"),
    sa.Column("cycle", sa.BigInteger, primary_key=True, nullable=False, autoincrement=False),
    _text("value"),  # the class of the start
    _number("started"),  # this and the next two: microseconds since 1970
    _number("replied", required=False),
    _number("solved", required=False),
    _text("steps"),  # changes of class: tracks.py
    _text("pauses"),
    _text("asked"),  # what policies look at, as JSON; "" for nothing
    _text("terms"),  # the versions by which it is judged: pinning.py
    _text("desk"),
    _flag("plain"),  # the numbers say all; else the facts must be folded
    _index("ix_tracks_started", "started"),
    sqlite_with_rowid=False,
)

stamps = sa.Table(
    "stamps",
    metadata,
    *_key("ref"),
    _json("wanted"),
    _json("confirmed"),  # what the card held when last read or written
    _json("sending", required=False),  # on its way, or of unknown fate
    _at("due_at"),  # empty: nothing to write
    _at("taken_until"),
    _at("sent_at"),  # the last attempt to write began
    _at("written_at"),
    _number("attempts"),
    _text("error"),
    _number("writes"),  # since writes_since: the fuse
    _at("writes_since"),
    _at("parked_at"),
    _index("ix_stamps_due", "due_at", only="due_at IS NOT NULL"),
    _index("ix_stamps_parked", "parked_at", only="parked_at IS NOT NULL"),
)

messages = sa.Table(
    "messages",
    metadata,
    *_key("key"),
    _text("kind"),
    _text("receiver"),
    _text("text"),
    _text("ref", required=False),
    _number("lane"),
    _text("tag"),
    _text("state"),  # outbox.py names them
    _number("version"),  # raised when a card's text changes
    _number("sending_version", required=False),
    _flag("uncertain"),  # an attempt's fate is unknown: look before repeating
    _number("portal_id", required=False),
    _at("created_at", required=True),
    _at("due_at", required=True),
    _at("taken_until"),
    _at("sent_at"),
    _at("failed_at"),
    _number("attempts"),
    _text("error"),
    _index("ix_messages_work", "lane", "due_at", only="state IN ('waiting', 'sending')"),
    _index("ix_messages_ref", "ref"),
    _index("ix_messages_failed", "failed_at", only="failed_at IS NOT NULL"),
)

marks = sa.Table("marks", metadata, *_key("name"), _json("value"))

slots = sa.Table("slots", metadata, *_key("job", "slot"), _text("holder"), _at("taken_at", required=True))

leases = sa.Table(
    "leases",
    metadata,
    *_key("name"),
    _text("holder"),
    _number("until_millis"),  # by the database's clock
    _number("epoch"),
)

rules_log = sa.Table("rules_log", metadata, *_key("version"), _text("text"), _at("pinned_at", required=True))

# Who put which rules in force, and when.
rules_applied = sa.Table(
    "rules_applied",
    metadata,
    *_key("version"),
    sa.Column("asked_at", UtcDateTime, primary_key=True, nullable=False),
    _text("applied_by"),
    _flag("to_open"),  # to open tickets too
    _at("done_at"),
    _number("tickets", required=False),  # how many open ones were touched
)

# What reports were made of beside facts, so that each can be made again as it was.
reports = sa.Table(
    "reports",
    metadata,
    *_key("kind", "first"),
    sa.Column("made_at", UtcDateTime, primary_key=True, nullable=False),
    _text("last"),
    _at("known_at"),  # the newest fact that it could see; empty: there was none
    _text("rules"),  # the version in force
    _json("made_of"),  # names, age of the data, portal
    _text("text"),
    _text("text_hash"),
    _text("picture_hash"),
    _at("sent_at"),
)

# When all changes were last read, sweep by sweep: the age of the data of any moment.
sweeps = sa.Table(
    "sweeps",
    metadata,
    sa.Column("ended_at", UtcDateTime, primary_key=True, nullable=False),
    _at("read_at"),  # empty: it failed
    _number("unread"),
    _text("trouble"),
)

people = sa.Table(
    "people",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, nullable=False, autoincrement=False),
    _text("name"),
    _flag("active"),
    _flag("employee"),
)

installations = sa.Table(
    "installations",
    metadata,
    *_key("member_id"),  # the portal's own key: its domain may change
    _text("portal"),  # the address where it is called now: after a renaming another than the settings name
    _text("named"),  # what the settings named when `portal` was learnt: another name there wins
    _text("server_endpoint"),  # of the OAuth server, as the installing post said
    _text("access_token"),  # the three secrets are encrypted by whoever puts them here
    _text("refresh_token"),
    _text("application_token"),
    _at("expires_at", required=True),
    _text("scope"),
    _text("status"),  # L local, F free, D demo, T trial, P paid
    _number("user_id"),
    _number("generation"),  # raised by every new pair of tokens
    _at("installed_at", required=True),
    _at("bound_at"),  # the subscriptions were last found whole; empty: bind again
    _at("removed_at"),
)

strangers = sa.Table(
    "strangers",
    metadata,
    *_key("name"),
    _number("count"),
    _at("first_at", required=True),
    _at("last_at", required=True),
)
