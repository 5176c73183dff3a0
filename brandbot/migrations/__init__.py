"""How the database's tables became what they are; Alembic reads this folder."""
