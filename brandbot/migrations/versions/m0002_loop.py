"""What the loop needs: who said what and where, claimed events, reviews, channels' settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("conversations", sa.Column("place", sa.String(200)))
    op.create_index("one_a_place", "conversations", ["persona", "place"], unique=True)
    op.create_index("ix_conversations_author", "conversations", ["author"])
    for column in (
        sa.Column("key", sa.String(32)),
        sa.Column("author", sa.String(128)),
        sa.Column("message_id", sa.String(200)),
        sa.Column("changed", sa.String(40)),
        sa.Column("unsourced", sa.Text),
        sa.Column("handed_off", sa.Boolean),
        sa.Column("style", sa.Float),
        sa.Column("novelty", sa.Float),
    ):
        op.add_column("turns", column)
    op.create_index("ix_turns_key", "turns", ["key"], unique=True)
    op.create_index("ix_turns_message_id", "turns", ["message_id"], unique=True)
    op.create_index("ix_turns_author", "turns", ["author"])
    for table in ("feedback", "votes"):
        op.add_column(table, sa.Column("key", sa.String(32)))
        op.create_index(f"ix_{table}_key", table, ["key"], unique=True)
    op.create_index("ix_feedback_author", "feedback", ["author"])
    op.create_table(
        "claims",
        sa.Column("event", sa.String(128), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False, index=True),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("beat", sa.Integer, nullable=False),
        sa.Column("payload", sa.Text),
        sa.Column("posted", sa.Text),
        sa.Column("created", sa.String(40), nullable=False),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("turn", sa.Integer, sa.ForeignKey("turns.id"), nullable=False, index=True),
        sa.Column("persona", sa.String(64), nullable=False, index=True),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("original", sa.Text, nullable=False),
        sa.Column("reply", sa.Text, nullable=False),
        sa.Column("reviewer", sa.String(128), nullable=False),
        sa.Column("outcome", sa.String(200), nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "rooms",
        sa.Column("place", sa.String(200), primary_key=True),
        sa.Column("persona", sa.String(64)),
        sa.Column("follows", sa.Boolean),
    )
