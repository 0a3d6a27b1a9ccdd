"""depot's Alembic environment; a release may add folders of revisions."""
