"""What the rollout does, act by act: each says what shall be, does it, and reads it back."""

from tminus.control.ports import Json, SideStatus
from tminus.control.stages import Stages
from tminus.domain.traffic import Side
from tminus.errors import RolloutError


async def initiate(stages: Stages, old: str, new: str) -> Json:
    """That blue serves everybody with the recorded release, and that green can be made of the new one.

    Raises `RolloutError`, or `ReleaseError`, where that is not so: then nothing was changed, and users are left where
    they are.
    """
    blue, green = [await stages.target.status(side) for side in (Side.BLUE, Side.GREEN)]
    if green.weight or not blue.weight:
        raise RolloutError(
            f"green has a weight of {green.weight} already; a launch begins with all requests on blue",
            hint="name as blue the side that serves now: after a launch that landed the two have changed places",
        )
    if not (blue.running and blue.up and blue.digest == old):
        raise RolloutError(
            f"blue is not what it should be: running {blue.running}, up {blue.up}, {blue.digest or 'no digest'}",
            hint="make blue serve the recorded release before a launch",
        )
    # Before anything is backed up or migrated: what cannot be rolled out ends here.
    await stages.target.prepare(new)
    return {"blue": blue.digest, "weight": blue.weight}


async def migrate(stages: Stages, new: str) -> Json:
    """Bring the schema to the new release, and see that the old one still works on it; raises `RolloutError`."""
    result = await stages.database.migrate(new)
    failures = await stages.smoke.failures(stages.target.private_url(Side.BLUE))
    if failures:
        raise RolloutError(
            f"the old release fails on the new schema: {'; '.join(failures)}",
            hint="make the migration expand-only, or launch in two steps",
        )
    return {**result, "old_release_on_new_schema": "passed"}


async def start_green(stages: Stages, new: str) -> Json:
    """Have the new release run as green, without traffic; raises `RolloutError` where something else runs."""
    await stages.target.prepare(new)
    status = await stages.target.start(Side.GREEN, new)
    if not status.running or status.digest != new:
        raise RolloutError(
            f"green runs {status.digest or 'nothing'} instead of {new}",
            hint="read green's log",
        )
    return told(status)


async def smoke(stages: Stages) -> Json:
    """Smoke-test green before a user meets it; raises `RolloutError` with what fails."""
    failures = await stages.smoke.failures(stages.target.private_url(Side.GREEN))
    if failures:
        raise RolloutError(
            f"smoke tests failed on green: {'; '.join(failures)}",
            hint="mend the release; no user has met it",
        )
    return {"failures": []}


async def shift(stages: Stages, percent: int) -> Json:
    """Give green this share of new requests, in percent; raises `RolloutError` where another is read back."""
    confirmed = await stages.target.set_weight(percent)
    if confirmed != percent:
        raise RolloutError(
            f"{percent} % was set, but {confirmed} % is read back",
            hint="does something else change the weights?",
        )
    stages.watch.note_weight(percent)
    return {"set": percent, "read_back": confirmed}


def told(status: SideStatus) -> Json:
    """How a side stands, as the record has it."""
    return {
        "digest": status.digest,
        "version": status.version,
        "started": str(status.started),
        "up": status.up,
    }
