"""Where the record lives: SQLite by default, PostgreSQL when it grows, memory in tests."""

from tminus.store.chain import LaunchRow
from tminus.store.memory import MemoryRecordStore
from tminus.store.orders import Order
from tminus.store.outbox import Message, Outbox
from tminus.store.record import Choose, RecordStore
from tminus.store.tables import connect, prepare

__all__ = [
    "Choose",
    "LaunchRow",
    "MemoryRecordStore",
    "Message",
    "Order",
    "Outbox",
    "RecordStore",
    "connect",
    "prepare",
]
