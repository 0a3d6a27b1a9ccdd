"""Where the record lives: SQLite by default, PostgreSQL when it grows, memory in tests."""

from tminus.store.chain import LaunchRow
from tminus.store.memory import MemoryRecordStore
from tminus.store.record import RecordStore
from tminus.store.tables import connect, prepare

__all__ = ["LaunchRow", "MemoryRecordStore", "RecordStore", "connect", "prepare"]
