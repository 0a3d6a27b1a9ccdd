"""People who may log in; written by the commands, read by `/login`."""

import psycopg

from .credentials import new_salt, salted_hash


def set_user(connection: psycopg.Connection, name: str, password: str) -> None:
    """Let a user log in with this password; an existing user gets it instead of the old one."""
    salt = new_salt()
    connection.execute(
        "INSERT INTO users (name, salt, hash) VALUES (%s, %s, %s)"
        " ON CONFLICT (name) DO UPDATE SET salt = excluded.salt, hash = excluded.hash",
        (name, salt, salted_hash(password, salt)),
    )
