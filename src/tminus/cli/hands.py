"""Who acts at this terminal: the launch that is meant, the role, and its person's own key, opened with a passphrase."""

import asyncio
from dataclasses import dataclass, replace
from typing import Annotated

import typer

from tminus.cli.launches import launches, open_launch
from tminus.cli.passphrases import passphrase
from tminus.config import home, writable_home
from tminus.domain.delegation import as_held
from tminus.domain.plan import Plan, Role
from tminus.domain.record import Event
from tminus.domain.trust import TrustRoot
from tminus.errors import OutOfSequenceError, RefusedError
from tminus.signing import People, load_trust, trust_path
from tminus.wiring import SystemClock
from tminus.wiring.acts import Choose, Desk, Hand, Scene, key_of
from tminus.wiring.opening import kept

Launch = Annotated[str, typer.Argument(help="The launch, or its environment.")]
Line = Annotated[str, typer.Argument(help="The line's id.")]


@dataclass(frozen=True, slots=True)
class Desktop:
    """A launch of the common database, as somebody at this terminal meets it."""

    desk: Desk
    scene: Scene

    def hand(self, role: str) -> Hand:
        """Who holds a role by now, with their key; raises `RefusedError` where that is not on this machine."""
        return self._hand(self.scene.role(role))

    def first_hand(self, role: str) -> Hand:
        """The same of whom the plan names, whoever acts for the role by now."""
        return self._hand(replace(self.scene, plan=self.desk.plan).role(role))

    def _hand(self, meant: Role) -> Hand:
        return _hand(meant, self.desk.trust, self.scene.now)

    def do(self, choose: Choose) -> list[Event]:
        """Do an act upon the launch."""
        return asyncio.run(self.desk.do(choose))


def desktop(word: str) -> Desktop:
    """The open launch that is named; raises `RefusedError` for a demo's, whose people are simulated."""
    folder = writable_home()
    found = open_launch(word, asyncio.run(launches(folder)))
    if not found.environment:
        raise OutOfSequenceError(
            f"{found.id} is a demo: its people are simulated and act by themselves",
            hint="open a launch of your own plan: tminus launch",
        )
    events, plan = asyncio.run(kept(found.database, found.id))
    clock = SystemClock()
    desk = Desk(found.database, found.id, plan, trusted(), clock)
    return Desktop(desk, Scene(found.id, as_held(plan, events), tuple(events), clock.now()))


def asker(plan: Plan, role: str) -> Hand:
    """Who opens a launch in the name of a role, with their key; raises as `Desktop.hand` does."""
    meant = next(one for one in plan.roles if one.id == role)
    return _hand(meant, trusted(), SystemClock().now())


def _hand(meant: Role, trust: TrustRoot, now: float) -> Hand:
    people = People(home())
    mine = {key.keyid: key for key in people.of(meant.person)}
    known = key_of(trust, meant, list(mine), now)
    return Hand(meant, people.open(mine[known.keyid], passphrase(meant.person)))


def trusted() -> TrustRoot:
    """The trust root of this machine; raises `RefusedError` where it has none yet."""
    place = trust_path(home())
    if not place.exists():
        raise RefusedError(
            f"{place}: this machine trusts nobody's key yet",
            hint="make a key (`tminus key new`) and enrol it (`tminus trust add`), or copy your team's trust root here",
        )
    return load_trust(place)
