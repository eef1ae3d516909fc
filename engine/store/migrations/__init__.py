"""The history of the schema, for alembic: one file for each change, never edited after a release."""
