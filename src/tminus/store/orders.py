"""Launches as they are ordered: what a worker needs to run one that it did not open, and who has an environment."""

from dataclasses import dataclass, field

from sqlalchemy import Connection, delete, insert, select

from tminus.control.ports import Json
from tminus.domain.canonical import canonical, parse
from tminus.errors import OutOfSequenceError, RecordError
from tminus.store.tables import ENVIRONMENTS, LAUNCHES


@dataclass(frozen=True, slots=True)
class Order:
    """What to launch, and where."""

    environment: str
    """One launch at a time may be open in it."""
    document: Json = field(hash=False)
    """The whole plan."""
    binding: Json = field(hash=False)
    """What the launch binds that its plan leaves open."""
    body: str = "launch"
    """The kind of launch, by the name under which workers know it."""


def columns(order: Order) -> dict[str, str]:
    """The order as it is kept in the launch's row."""
    return {
        "environment": order.environment,
        "document": canonical(order.document).decode(),
        "binding": canonical(order.binding).decode(),
    }


def claim(connection: Connection, launch: str, environment: str) -> None:
    """Give an environment to a launch; raises `OutOfSequenceError` while another has it."""
    taken = connection.execute(
        select(LAUNCHES.c.id, LAUNCHES.c.opened_at)
        .join(ENVIRONMENTS, ENVIRONMENTS.c.launch == LAUNCHES.c.id)
        .where(ENVIRONMENTS.c.name == environment)
    ).one_or_none()
    if taken is not None:
        raise OutOfSequenceError(
            f"{environment} is taken by launch {taken.id}, open since {taken.opened_at}",
            hint=f"wait until {taken.id} has ended, or end it with `tminus scrub {taken.id}`",
        )
    connection.execute(insert(ENVIRONMENTS).values(name=environment, launch=launch))


def free(connection: Connection, launch: str) -> None:
    """Let the next launch have the environment; nothing for a launch that has none."""
    connection.execute(delete(ENVIRONMENTS).where(ENVIRONMENTS.c.launch == launch))


def read_order(connection: Connection, launch: str) -> Order:
    """What was ordered; raises `RecordError` for a launch that is not there, or was begun without an order."""
    wanted = select(LAUNCHES.c.environment, LAUNCHES.c.document, LAUNCHES.c.binding)
    row = connection.execute(wanted.where(LAUNCHES.c.id == launch)).one_or_none()
    if row is None or row.environment is None:
        raise RecordError(
            f"nobody but its own tminus can run launch {launch}: the store holds no order of it",
            hint="see `tminus status` for the launches that workers run",
        )
    return Order(row.environment, _json(row.document), _json(row.binding))


def _json(text: str) -> Json:
    found = parse(text.encode())
    if not isinstance(found, dict):
        raise RecordError("an order in the store is no object", hint="restore the store from its backup")
    return found
