"""Make what a launch changes beside the release, and undo it on the way back: read, done, read back.

What stood there before is recorded before anything is changed, so that a rollback undoes what this launch did and
nothing else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tminus.control.ports import Commands, Json, Record, recorded
from tminus.control.stages import Stages
from tminus.domain.change import Change, others
from tminus.domain.plan import Plan
from tminus.errors import RolloutError

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
        """Have a change made; already so: nothing happens. Raises `RolloutError` where it cannot be read back."""
        stands = await self._read(change)
        if stands not in {change.before, change.after}:
            raise RolloutError(
                f"{change.id} is {stands!r}, neither {change.before!r} nor {change.after!r}",
                hint="see who changed it, and correct the plan or the setting",
            )
        begun = await self.record.append_once(_key(change), BEGUN, {"change": change.id, "was": stands})
        if stands != change.after:
            await self._run(change, change.apply)
            stands = await self._read(change)
        if stands != change.after:
            raise RolloutError(
                f"{change.id} was changed and is {stands!r}, not {change.after!r}",
                hint="run its `apply` by hand and see what it says",
            )
        data: Json = {"change": change.id, "was": str(begun.data["was"]), "is": stands}
        await self.record.append_once(f"made:{change.id}", MADE, data)
        return data

    async def undo(self, change: Change) -> Json:
        """Have it as this launch found it; nothing happens where the launch did not come to it, or found it made.

        Raises `RolloutError` where that cannot be read back; done again, it goes on.
        """
        begun = await recorded(self.record, _key(change))
        if begun is None or begun.data["was"] != change.before:
            return {"change": change.id, "undone": False}
        stands = await self._read(change)
        if stands != change.before:
            await self._run(change, change.revert)
            stands = await self._read(change)
        if stands != change.before:
            raise RolloutError(
                f"{change.id} was undone and is {stands!r}, not {change.before!r}",
                hint=f"undo it by hand: {' '.join(change.revert)}",
            )
        data: Json = {"change": change.id, "is": stands}
        await self.record.append_once(f"undone:{change.id}", UNDONE, data)
        return {**data, "undone": True}

    async def _read(self, change: Change) -> str:
        return (await self._run(change, change.read)).strip()

    async def _run(self, change: Change, command: Sequence[str]) -> str:
        return await (self.components if change.component else self.commands).run(self.digest, command)


def changing(
    plan: Plan, stages: Stages, record: Record, release: Mapping[str, str], previous: Mapping[str, str]
) -> Changing:
    """What a launch of these images changes; digests as SHA-256 in hex, by component."""
    beside = others(plan.others, release, previous)
    new = f"sha256:{release[plan.components[0]]}"
    return Changing(stages.commands, stages.components, record, new, (*beside, *plan.changes))


def _key(change: Change) -> str:
    return f"change:{change.id}"
