"""Open emergencies are looked for at every step of the first lane: no longer among all that ever were.

Nobody asks any more for a client's earlier tickets.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None

URGENT = sa.text("open AND value = 'emergency'")
OF_CLIENT = sa.text("client <> ''")


def upgrade() -> None:
    op.create_index(
        "ix_tickets_emergencies", "tickets", ["value", "ref"], sqlite_where=URGENT, postgresql_where=URGENT
    )
    op.drop_index("ix_tickets_client", table_name="tickets")


def downgrade() -> None:
    op.create_index(
        "ix_tickets_client",
        "tickets",
        ["client", "started_at"],
        sqlite_where=OF_CLIENT,
        postgresql_where=OF_CLIENT,
    )
    op.drop_index("ix_tickets_emergencies", table_name="tickets")
