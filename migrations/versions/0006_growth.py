"""What is asked at every sweep and of every scrape of the metrics no longer reads all open tickets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None

OPEN = sa.text("open")
WITH_CURSOR = sa.text("open AND cursor_names > ''")


def upgrade() -> None:
    op.add_column("tickets", sa.Column("cursor_names", sa.Text, nullable=False, server_default=""))
    # Enough to be found; the ticket's next reading writes the whole names.
    op.execute("""UPDATE tickets SET cursor_names = 'line:'
        WHERE open AND CAST(body AS TEXT) LIKE '%"line:%'""")
    op.create_index(
        "ix_tickets_cursors",
        "tickets",
        ["cursor_names"],
        sqlite_where=WITH_CURSOR,
        postgresql_where=WITH_CURSOR,
    )
    op.create_index("ix_tickets_tally", "tickets", ["sla_state"], sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_index("ix_tickets_tally", table_name="tickets", sqlite_where=OPEN, postgresql_where=OPEN)
    op.drop_index(
        "ix_tickets_cursors", table_name="tickets", sqlite_where=WITH_CURSOR, postgresql_where=WITH_CURSOR
    )
    op.drop_column("tickets", "cursor_names")
