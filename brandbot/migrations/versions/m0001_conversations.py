"""Conversations, turns, feedback, sources and votes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("persona", sa.String(64), nullable=False, index=True),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("author", sa.String(128)),
        sa.Column("created", sa.String(40), nullable=False),
    )
    conversation = sa.ForeignKey("conversations.id")
    op.create_table(
        "turns",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("conversation", sa.String(64), conversation, nullable=False, index=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
        sa.Column("version", sa.String(16)),
        sa.Column("engine", sa.String(32)),
        sa.Column("strength", sa.Float),
        sa.Column("first_token_ms", sa.Float),
        sa.Column("latency_ms", sa.Float),
        sa.Column("finish", sa.String(16)),
        sa.Column("retired", sa.Boolean, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("turn", sa.Integer, sa.ForeignKey("turns.id"), nullable=False, index=True),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("suggestion", sa.Text),
        sa.Column("author", sa.String(128)),
        sa.Column("created", sa.String(40), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sources",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("turn", sa.Integer, sa.ForeignKey("turns.id"), nullable=False, index=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("file", sa.Text, nullable=False),
        sa.Column("heading", sa.Text, nullable=False),
        sa.Column("quote", sa.Text, nullable=False),
        sa.Column("page", sa.Integer),
        sa.Column("row", sa.Integer),
    )
    op.create_table(
        "votes",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("persona", sa.String(64), nullable=False, index=True),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("left_version", sa.String(16), nullable=False),
        sa.Column("right_version", sa.String(16), nullable=False),
        sa.Column("left_text", sa.Text, nullable=False),
        sa.Column("right_text", sa.Text, nullable=False),
        sa.Column("choice", sa.String(8), nullable=False),
        sa.Column("voter", sa.String(128), nullable=False),
        sa.Column("created", sa.String(40), nullable=False),
    )
