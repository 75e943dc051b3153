"""When a ticket's words were taken away, and the tickets that still have theirs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None

KEPT = sa.text("purged_at IS NULL")


def upgrade() -> None:
    op.add_column("tickets", sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_tickets_kept", "tickets", ["started_at", "ref"], sqlite_where=KEPT, postgresql_where=KEPT
    )


def downgrade() -> None:
    op.drop_index("ix_tickets_kept", table_name="tickets", sqlite_where=KEPT, postgresql_where=KEPT)
    op.drop_column("tickets", "purged_at")
