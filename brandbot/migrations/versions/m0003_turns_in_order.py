"""The turns of a conversation are found in their order: a long talk's review took minutes."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("ix_turns_in_order", "turns", ["conversation", "id"])
    op.drop_index("ix_turns_conversation", "turns", if_exists=True)
