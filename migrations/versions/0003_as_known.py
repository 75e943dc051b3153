"""As known then, and what if: reports, sweeps, applied rules, tracks; every ticket's pin becomes a fact."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

AT = sa.DateTime(timezone=True)
PAGE = 200  # a ticket's body may be as long as its life

tickets = sa.table("tickets", sa.column("ref", sa.Text()), sa.column("body", sa.JSON()))
facts = sa.table(
    "facts",
    sa.column("ref", sa.Text()),
    sa.column("kind", sa.Text()),
    sa.column("key", sa.Text()),
    sa.column("happened_at", AT),
    sa.column("recorded_at", AT),
    sa.column("value", sa.JSON()),
)
outcomes = sa.table(
    "outcomes",
    sa.column("ref", sa.Text()),
    sa.column("cycle", sa.BigInteger()),
    sa.column("value", sa.Text()),
    sa.column("received_at", AT),
    sa.column("counted", sa.Boolean()),
)
tracks = sa.table(
    "tracks",
    *(sa.column(name, sa.Text()) for name in ("ref", "value", "steps", "pauses", "asked", "terms", "desk")),
    *(sa.column(name, sa.BigInteger()) for name in ("cycle", "started")),
    sa.column("plain", sa.Boolean()),
)


def upgrade() -> None:
    op.create_index("ix_facts_recorded", "facts", ["recorded_at", "ref"])
    op.create_table(
        "tracks",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("cycle", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("replied", sa.BigInteger(), nullable=True),
        sa.Column("solved", sa.BigInteger(), nullable=True),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("pauses", sa.Text(), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("desk", sa.Text(), nullable=False),
        sa.Column("plain", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("ref", "cycle", name=op.f("pk_tracks")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tracks_started", "tracks", ["started"])
    op.create_table(
        "rules_applied",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("asked_at", AT, nullable=False),
        sa.Column("applied_by", sa.Text(), nullable=False),
        sa.Column("to_open", sa.Boolean(), nullable=False),
        sa.Column("done_at", AT, nullable=True),
        sa.Column("tickets", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("version", "asked_at", name=op.f("pk_rules_applied")),
    )
    op.create_table(
        "reports",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first", sa.Text(), nullable=False),
        sa.Column("made_at", AT, nullable=False),
        sa.Column("last", sa.Text(), nullable=False),
        sa.Column("known_at", AT, nullable=True),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("made_of", sa.JSON(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.Text(), nullable=False),
        sa.Column("picture_hash", sa.Text(), nullable=False),
        sa.Column("sent_at", AT, nullable=True),
        sa.PrimaryKeyConstraint("kind", "first", "made_at", name=op.f("pk_reports")),
    )
    op.create_table(
        "sweeps",
        sa.Column("ended_at", AT, nullable=False),
        sa.Column("read_at", AT, nullable=True),
        sa.Column("unread", sa.BigInteger(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("ended_at", name=op.f("pk_sweeps")),
    )
    _pin_tickets()
    _name_cycles()


def _pin_tickets() -> None:
    """A ticket decided before pins were facts has been judged by its rules since it was first seen."""
    seen = sa.select(sa.func.min(facts.c.recorded_at, type_=AT)).where(facts.c.ref == tickets.c.ref)
    query = sa.select(tickets.c.ref, tickets.c.body, seen.scalar_subquery().label("at"))
    for rows in _pages(query.order_by(tickets.c.ref), tickets.c.ref):
        if pins := [_pin(row) for row in rows if row.at is not None]:
            op.get_bind().execute(sa.insert(facts), pins)


def _pages(query: sa.Select[Any], *key: sa.ColumnElement[Any]) -> Iterator[Sequence[sa.Row[Any]]]:
    """What is ordered by `key`, whose values begin each row: a year's tickets need not fit into memory."""
    rows = op.get_bind().execute(query.limit(PAGE)).all()
    while rows:
        yield rows
        after = sa.tuple_(*key) > sa.tuple_(*rows[-1][: len(key)])
        rows = op.get_bind().execute(query.where(after).limit(PAGE)).all()


def _pin(row: sa.Row[*tuple[Any, ...]]) -> dict[str, Any]:
    version = row.body.get("rules_version", "")
    value = {"terms": version, "desk": version, "by": ""}
    return {
        "ref": row.ref,
        "kind": "rules",
        "key": "1",
        "happened_at": row.at,
        "recorded_at": row.at,
        "value": value,
    }


def _name_cycles() -> None:
    """Cycles of before have tracks too: such as say that their facts must be folded."""
    key = (outcomes.c.ref, outcomes.c.cycle)
    query = sa.select(*key, outcomes.c.value, outcomes.c.received_at).where(outcomes.c.counted)
    for rows in _pages(query.order_by(*key), *key):
        op.get_bind().execute(sa.insert(tracks), [_track(row) for row in rows])


def _track(row: sa.Row[*tuple[Any, ...]]) -> dict[str, Any]:
    began_at = row.received_at if row.received_at.tzinfo else row.received_at.replace(tzinfo=UTC)
    started = (began_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    nothing = dict.fromkeys(("steps", "pauses", "asked", "terms", "desk"), "")
    return nothing | {
        "ref": row.ref,
        "cycle": row.cycle,
        "value": row.value,
        "started": started,
        "plain": False,
    }


def downgrade() -> None:
    op.execute(sa.delete(facts).where(facts.c.kind.in_(["rules", "silence", "bound"])))
    for table in ("sweeps", "reports", "rules_applied"):
        op.drop_table(table)
    op.drop_index("ix_tracks_started", table_name="tracks")
    op.drop_table("tracks")
    op.drop_index("ix_facts_recorded", table_name="facts")
