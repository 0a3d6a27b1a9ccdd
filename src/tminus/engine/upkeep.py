"""What a release engineer does with the common database by hand: bring its tables to this tminus, in two halves."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from tminus.domain.diagnosis import Pulse
from tminus.engine.durable import ready
from tminus.engine.keeper import BEAT_SECONDS, TTL_SECONDS
from tminus.engine.survey import survey
from tminus.errors import OutOfSequenceError
from tminus.store import migrating
from tminus.store.tables import connect, prepare

PULSE = Pulse(BEAT_SECONDS, TTL_SECONDS)
"""How the hearts of workers are judged that keep as they do by default."""


@dataclass(frozen=True, slots=True)
class Migrated:
    """The revision of our tables before and after; the engine's own tables are brought along."""

    before: str | None
    after: str
    waits: str = ""
    """The newest revision, when it waits until no earlier tminus runs; else empty."""


def bring_up(database_url: str, clock: Callable[[], float], *, post: bool = False) -> Migrated:
    """Make the tables, or bring them to what this tminus needs; `post` also to what waits for the end of earlier code.

    Raises `OutOfSequenceError` for the second half while a living worker may run earlier code, `PartError` when the
    database does not answer, or is of a newer tminus.
    """
    engine = connect(database_url)
    try:
        before = _revision(engine)
        ready(database_url)
        if post:
            _alone(database_url, clock)
            prepare(engine, post=True)
        after, newest = _revision(engine) or "", migrating.revisions()[-1].revision
        return Migrated(before, after, newest if after != newest else "")
    finally:
        engine.dispose()


def _revision(engine: Engine) -> str | None:
    with engine.connect() as connection:
        return migrating.revision(connection)


def _alone(database_url: str, clock: Callable[[], float]) -> None:
    """Raise unless every worker that lives knows what is to come."""
    seen = survey(database_url, clock)
    lives = [heart for heart in seen.hearts or () if PULSE.alive(heart)]
    if earlier := [heart.executor for heart in lives if seen.schema.earlier(heart)]:
        raise OutOfSequenceError(
            f"{', '.join(earlier)} may run an earlier tminus, which {seen.schema.known[-1]} would break",
            hint="replace these workers by ones of this tminus, and type it again",
        )
