"""Scratch databases: dropped by force, and without it where the force is not ours."""

from typing import Any, cast

import psycopg
from psycopg import sql

from tminus import postgres


class Vacuuming:
    """A connection to a database that PostgreSQL is vacuuming: only a superuser may end that by force."""

    def __init__(self) -> None:
        self.said: list[str] = []

    async def execute(self, statement: sql.Composed) -> None:
        words = statement.as_string(None)
        self.said.append(words)
        if "FORCE" in words:
            raise psycopg.errors.InsufficientPrivilege("must be a member of the role")


async def test_a_database_that_is_vacuumed_is_dropped_without_force() -> None:
    connection = Vacuuming()
    await postgres._drop(cast("Any", connection), sql.Identifier("scratch"))
    assert connection.said == [
        'DROP DATABASE IF EXISTS "scratch" WITH (FORCE)',
        'DROP DATABASE IF EXISTS "scratch"',
    ]
