"""What Alembic runs for each command; the connection comes from `migrating.py`."""

from alembic import context

from tminus.store.migrating import VERSIONS

context.configure(connection=context.config.attributes["connection"], version_table=VERSIONS)
with context.begin_transaction():
    context.run_migrations()
