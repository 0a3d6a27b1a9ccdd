"""The list of launches: those of the common database and those of demos, each with where it stands and how late it is.

What cannot be read is said in words: an empty list means that there is no launch, and nothing else.
"""

import asyncio
from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.exc import SQLAlchemyError

from tminus.domain.canonical import instant
from tminus.domain.diagnosis import SLOW, duration
from tminus.domain.health import UNDER_WAY, Heart, OpenLaunch
from tminus.domain.rollout import State
from tminus.engine.survey import Rows
from tminus.engine.upkeep import PULSE
from tminus.errors import TminusError
from tminus.picture.believed import Believed
from tminus.picture.common import CommonDatabase, Seen
from tminus.picture.course import state_words
from tminus.picture.reading import DATABASE, launches, read_only, written
from tminus.picture.row import DEMO, HELD, Row
from tminus.picture.watched import Doubt, undoubted
from tminus.picture.words import plural
from tminus.store.chain import OPEN, LaunchRow
from tminus.store.tables import LAUNCHES, connect

MOST_DEMOS = 50
"""Launches of demos that the list shows, the latest ones."""


@dataclass(frozen=True, slots=True)
class Roster:
    """Everything that the list shows at one moment."""

    under_way: tuple[Row, ...] = ()
    ended: tuple[Row, ...] = ()
    unshown: str = ""
    """How many more there are, in words; empty where all are shown."""
    where: str = ""
    """The common database, without its password; empty where the page looks at none."""
    trouble: str = ""
    """Why the common database cannot be read; empty where it was."""
    hint: str = ""
    """What to do about that."""
    unmade: bool = False
    """Whether the common database is a file that nobody has made yet: then it holds no launch."""
    hearts: tuple[Heart, ...] = ()
    """Who runs launches, or ran them of late."""

    @property
    def workers(self) -> tuple[str, str]:
        """The sign that goes with the workers of the common database, and how many live, in words."""
        alive = [heart.executor for heart in self.hearts if PULSE.alive(heart)]
        silent = [heart for heart in self.hearts if not heart.buried and not PULSE.alive(heart)]
        if not alive:
            waits = any(row.environment != DEMO for row in self.under_way)
            return "failed" if waits else "warned", "no worker lives: nobody runs launches"
        named = ", ".join(alive[:4]) + (f" and {len(alive) - 4} more" if len(alive) > 4 else "")
        also = f"; silent: {', '.join(heart.executor for heart in silent[:4])}" if silent else ""
        return "warned" if silent else "passed", f"{plural(len(alive), 'worker')} alive: {named}{also}"


class Lookout:
    """Looks for the launches of a home and of a common database, for everybody who watches the list."""

    def __init__(
        self,
        home: Path,
        common: CommonDatabase | None,
        now: Callable[[], float],
        doubt: Callable[[str], Doubt] = lambda _: undoubted,
    ) -> None:
        self._home = home
        self._common = common
        self._believed = Believed(common, doubt) if common else None
        self._now = now
        self._demos: dict[str, tuple[object, Row]] = {}

    async def look(self) -> Roster:
        """The list now; a launch, or a database, that cannot be read stands in it with the reason."""
        names = await asyncio.to_thread(launches, self._home)
        rows = await self._look_at_demos(names[:MOST_DEMOS])
        more = [_more(len(names) - MOST_DEMOS, "older demo")]
        if self._common is None:
            return _roster(rows, more, Roster())
        about = Roster(where=self._common.shown, unmade=not self._common.made)
        if about.unmade:
            return _roster(rows, more, about)
        try:
            seen = await self._common.seen()
        except TminusError as error:
            return _roster(rows, more, replace(about, trouble=str(error), hint=error.hint))
        more += [_more(seen.more_open, "open one"), _more(seen.more_ended, "ended one")]
        shown = rows_of(seen)
        if self._believed:
            shown = await self._believed.told(shown)
        return _roster([*shown, *rows], more, replace(about, hearts=seen.hearts))

    async def _look_at_demos(self, names: list[str]) -> list[Row]:
        """A row of each demo; a record that did not change is not read again."""
        before, self._demos = self._demos, {}
        for name in names:
            database = self._home / "launches" / name / DATABASE
            state = written(database)
            known = before.get(name)
            if known is None or known[0] != state:
                known = state, await asyncio.to_thread(_demo, name, database, self._now())
            self._demos[name] = known
        return [row for _, row in self._demos.values()]


def rows_of(seen: Seen) -> list[Row]:
    """The launches of the common database as rows of the list."""
    alive = {heart.executor for heart in seen.hearts if PULSE.alive(heart)}
    made = []
    for row in seen.rows:
        launch = seen.followed.get(row.id)
        if row.state != OPEN or launch is None:
            made.append(_ended(row))
            continue
        due = launch.late(seen.now)
        late = f"{due[0]} is late by {duration(due[1])}" if due and due[1] > SLOW else ""
        trouble = _trouble(launch, alive)
        made.append(replace(_open(launch, row.environment or DEMO), late=late, trouble=trouble))
    return made


def _ended(row: LaunchRow) -> Row:
    word, more = state_words(row.state)
    ended = instant(row.ended_at) if row.ended_at else None
    return Row(row.id, row.environment or DEMO, row.state, word, more, ended=ended)


def _open(launch: OpenLaunch, environment: str) -> Row:
    course = launch.course
    if course is None:
        return Row(launch.id, environment, "", "not known")
    state, (word, more) = course.phase.value, state_words(course.phase.value)
    if course.held:
        state, word, more = HELD, "Held", f"by {course.held.by}: {course.held.reason}"
    if course.speed != 1:
        # Its clock follows no calendar: only the record tells where it is.
        return Row(launch.id, environment, state, word, more or "its waits are shortened")
    standing = course.clock(course.held.since) if course.held else None
    return Row(launch.id, environment, state, word, more, course.t0, standing)


def _trouble(launch: OpenLaunch, alive: AbstractSet[str]) -> str:
    """Why nothing happens in a launch; nothing where somebody runs it, or is about to."""
    if launch.course is None:
        return "its record cannot be followed"
    if launch.state and launch.state not in UNDER_WAY:
        return f"stopped by an error of its own ({launch.state.lower()}): nobody goes on with it"
    if not alive:
        return "nobody runs it"
    if launch.state == "PENDING" and launch.executor not in alive:
        return "who ran it is silent; another worker takes it over"
    return ""


def _demo(name: str, database: Path, now: float) -> Row:
    engine = connect(read_only(database))
    try:
        with engine.begin() as connection:
            return _read_demo(connection, name, now)
    except (SQLAlchemyError, TminusError) as error:
        return Row(name, DEMO, "", "not known", trouble=f"its record cannot be read: {error}")
    finally:
        engine.dispose()


def _read_demo(connection: Connection, name: str, now: float) -> Row:
    # Records of earlier releases have no column for the environment.
    columns = [LAUNCHES.c[name] for name in ("id", "plan_digest", "state", "opened_at", "ended_at")]
    found = connection.execute(select(*columns).where(LAUNCHES.c.id == name)).mappings().one_or_none()
    if found is None:
        return Row(name, DEMO, State.COUNTING, "not opened yet")
    row = LaunchRow(**found)
    if row.state != OPEN:
        return _ended(row)
    (launch,) = Rows(connection, now).launches([name])
    return _open(launch, DEMO)


def _more(count: int, what: str) -> str:
    return plural(count, what) if count > 0 else ""


def _roster(rows: Iterable[Row], more: Iterable[str], about: Roster) -> Roster:
    """The rows in their order: open ones by T-0, those without a date behind them; ended ones the latest first."""
    known = list(rows)
    under_way = [row for row in known if row.ended is None]
    under_way.sort(key=lambda row: (row.t0 is None, row.t0 or 0.0, row.launch))
    ended = sorted((row for row in known if row.ended is not None), key=lambda row: -(row.ended or 0.0))
    unshown = ", ".join(words for words in more if words)
    return replace(about, under_way=tuple(under_way), ended=tuple(ended), unshown=unshown)
