"""Make what a launch changes beside the release, and undo it on the way back: read, done, read back.

What stood there before is recorded before anything is changed, so that a rollback undoes what this launch did and
nothing else, also what it had only begun.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from tminus.control.ports import Commands, Json, Record, recorded
from tminus.control.stages import Stages
from tminus.domain.change import Change, others
from tminus.domain.plan import Plan
from tminus.domain.record import Event
from tminus.errors import ProbeError, RolloutError

BEGUN, MADE, UNDONE = "change.begun", "change.made", "change.undone"


@dataclass(frozen=True, slots=True)
class Changing:
    """The changes of one launch, made by commands of one image."""

    commands: Commands
    components: Commands
    """Who brings the other components to another image."""
    record: Record
    digest: str
    """The image of the release: it knows what it changes, also on the way back."""
    changes: tuple[Change, ...] = ()
    """The other components, then the plan's changes, each in its order."""

    async def make(self, change: Change) -> Json:
        """Have a change made; already so: nothing happens. Raises `RolloutError` where it cannot be read back.

        Begun before, it is applied again without a look: half of it may stand.
        """
        begun = await recorded(self.record, _key(change)) or await self._begin(change)
        was = str(begun.data["was"])
        if was != change.after:
            await self._who(change).run(self.digest, change.apply, _name(begun))
        stands = await self._read(change)
        if stands != change.after:
            raise RolloutError(
                f"{change.id} was changed and is {stands!r}, not {change.after!r}",
                hint="run its `apply` by hand and see what it says",
            )
        data: Json = {"change": change.id, "was": was, "is": stands}
        await self.record.append_once(f"made:{_key(change)}", MADE, data)
        return data

    async def undo(self, change: Change) -> Json:
        """Have it as this launch found it; nothing happens where the launch did not come to it, or found it made.

        What cannot be told is changed back all the same. Raises `RolloutError` where that cannot be read back; done
        again, it goes on.
        """
        begun = await recorded(self.record, _key(change))
        if begun is None or begun.data["was"] != change.before:
            return {"change": change.id, "undone": False}
        # What was given up in the middle may run on, and would come after what is changed back now.
        await self._who(change).settle(_name(begun))
        # What runs of a component by now says nothing of what the cluster was told to bring it to.
        if change.component or await self._stands(change) != change.before:
            await self._who(change).run(self.digest, change.revert)
        stands = await self._read(change)
        if stands != change.before:
            raise RolloutError(
                f"{change.id} was undone and is {stands!r}, not {change.before!r}",
                hint=f"undo it by hand: {' '.join(change.revert)}",
            )
        data: Json = {"change": change.id, "is": stands}
        await self.record.append_once(f"undone:{_key(change)}", UNDONE, data)
        return {**data, "undone": True}

    async def _begin(self, change: Change) -> Event:
        stands = await self._read(change)
        if stands not in {change.before, change.after}:
            raise RolloutError(
                f"{change.id} is {stands!r}, neither {change.before!r} nor {change.after!r}",
                hint="see who changed it, and correct the plan or the setting",
            )
        return await self.record.append_once(_key(change), BEGUN, {"change": change.id, "was": stands})

    async def _stands(self, change: Change) -> str:
        """How it stands; empty where that cannot be told."""
        try:
            return await self._read(change)
        except ProbeError:
            return ""

    async def _read(self, change: Change) -> str:
        return (await self._who(change).run(self.digest, change.read)).strip()

    def _who(self, change: Change) -> Commands:
        return self.components if change.component else self.commands


def changing(
    plan: Plan, stages: Stages, record: Record, release: Mapping[str, str], previous: Mapping[str, str]
) -> Changing:
    """What a launch of these images changes; digests as SHA-256 in hex, by component."""
    beside = others(plan.others, release, previous)
    new = f"sha256:{release[plan.components[0]]}"
    return Changing(stages.commands, stages.components, record, new, (*beside, *plan.changes))


def _key(change: Change) -> str:
    return f"change:{'component/' if change.component else ''}{change.id}"


def _name(begun: Event) -> str:
    """What the command is called that makes a change: no other launch makes it at this instant."""
    return f"{begun.key} {begun.at}"
