"""What is left for a launch together with our own rows: a message, or its beginning, in the transaction of the caller.

Also for processes that run no launches: a command, or the page of a person who signs.
"""

from dbos import DBOSClient, DBOSPortableJSONSerializer
from dbos import error as dbos_error
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from tminus.control.ports import Json
from tminus.engine.durable import NAME, TIMELINE, VERSION
from tminus.errors import OutOfSequenceError
from tminus.store.outbox import Message
from tminus.store.tables import WRITE, connect, unreachable


class DurableOutbox:
    """See `store.outbox.Outbox`; nothing is delivered before the caller's transaction is committed."""

    def __init__(self, engine: Engine) -> None:
        self._client = DBOSClient(
            system_database_engine=engine,
            serializer=DBOSPortableJSONSerializer(),
            application_name=NAME,
            lazy=True,
            retry_connection_errors=False,
        )

    def send(self, connection: Connection, launch: str, message: Message) -> None:
        """See `Outbox.send`."""
        try:
            self._client.send_in_transaction(
                connection, launch, message.body, message.topic, idempotency_key=message.key
            )
        except dbos_error.DBOSNonExistentWorkflowError as error:
            raise OutOfSequenceError(
                f"launch {launch} cannot take {message.key}: it was never begun in this database",
                hint="see `tminus status` for the launches that are under way",
            ) from error

    def begin(self, connection: Connection, launch: str, body: str) -> None:
        """See `Outbox.begin`."""
        self._client.enqueue_in_transaction(
            connection,
            {
                "queue_name": TIMELINE,
                "workflow_name": body,
                "workflow_id": launch,
                "app_version": VERSION,
            },
            launch,
        )


def send_from_outside(database_url: str, launch: str, message: Json, key: str) -> None:
    """Leave a `control` message for a launch that another process runs."""
    engine = connect(database_url)
    try:
        with engine.execution_options(**{WRITE: True}).begin() as connection:
            DurableOutbox(engine).send(connection, launch, Message(key, message))
    except SQLAlchemyError as error:
        raise unreachable(engine, error) from error
    finally:
        engine.dispose()
