"""Alembic's entry: it migrates over the connection that ``database.py`` hands it."""

from __future__ import annotations

from alembic import context

from brandbot.database import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
