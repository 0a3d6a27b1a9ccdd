"""What runs once in a cluster: a service's backup, its migration and its smoke tests, as Jobs of its own images."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_hex

from tminus.control.ports import Json
from tminus.domain.traffic import Side
from tminus.errors import InconclusiveError, RolloutError
from tminus.kubernetes import MANAGER, Api, Object

from .service import Service
from .target import KubernetesTarget

POLL_SECONDS = 1.0
JOB_SECONDS = 900.0
"""How long a Job may take."""
NOT_READ = "(not read)"
"""The revision before a migration: a Job tells what it made, and nobody reads the database beside it."""
LEFT_SECONDS = 3600
"""How long a Job of smoke tests is there after its end: a rollout makes several."""
MOST_LINES = 5
"""How many of the last lines of a smoke test that failed are told."""
_LEFT_OUT = frozenset({"livenessProbe", "readinessProbe", "startupProbe", "lifecycle", "ports"})
"""What of a serving container a Job does not have."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a Job has ended."""

    lines: tuple[str, ...]
    """The last of what it printed."""
    why: str = ""
    """Why it failed; empty for one that has ended well."""

    @property
    def well(self) -> bool:
        """Whether it has ended well."""
        return not self.why


@dataclass(frozen=True, slots=True)
class Jobs:
    """Jobs beside one service.

    A Job has the environment, the volumes and the service account of blue's pods, and none of their labels, so that no
    Service takes it for a side.
    """

    api: Api
    service: Service
    poll_seconds: float = POLL_SECONDS
    seconds: float = JOB_SECONDS

    async def serving_image(self) -> str:
        """The image that blue is told to run."""
        return str(self.service.container_of(await self._template())["image"])

    async def last_line(
        self,
        name: str,
        image: str,
        command: tuple[str, ...],
        more: dict[str, str],
        *,
        left: int | None = None,
    ) -> str:
        """The last line that a Job prints; raises `RolloutError` when it fails. `left` as in `run`."""
        ran = await self.run(name, image, command, more, left=left)
        said = (ran.lines or ("",))[-1]
        if not ran.well:
            raise RolloutError(
                f"Job {name} failed: {ran.why}; its last line: {said or 'none'}",
                hint=f"kubectl -n {self.service.namespace} logs job/{name}; delete the Job before it is tried again",
            )
        return said

    async def run(
        self,
        name: str,
        image: str,
        command: tuple[str, ...],
        more: dict[str, str],
        *,
        left: int | None = None,
    ) -> Ran:
        """Have a Job run, or find the one of this name, and wait for its end; raises `RolloutError` without one.

        The cluster removes it `left` seconds after its end; without that it stays for people.
        """
        path = self.service.path("jobs")
        if await self.api.get(f"{path}/{name}") is None:
            wish = self._wish(name, image, command, more, await self._template())
            if left is not None:
                wish["spec"]["ttlSecondsAfterFinished"] = left
            await self.api.create(path, name, wish)
        job = await self.ended(name)
        if job is None:
            raise RolloutError(f"somebody has removed Job {name}", hint="see who, and try again")
        return Ran(await self._printed(name), "" if _ended(job) == "Complete" else _why(job))

    async def ended(self, name: str) -> Object | None:
        """A Job once it has ended; nothing where there is none. Raises `RolloutError` when it does not end."""
        path = self.service.path("jobs", name)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.seconds
        while (job := await self.api.get(path)) is not None and not _ended(job):
            if loop.time() > deadline:
                raise RolloutError(
                    f"Job {name} has not ended in {self.seconds:g} s",
                    hint=f"kubectl -n {self.service.namespace} logs job/{name}; whether it goes on is for a person",
                )
            await asyncio.sleep(self.poll_seconds)
        return job

    async def _printed(self, job: str) -> tuple[str, ...]:
        pods = await self.api.items(self.service.path("pods"), {"job-name": job})
        if not pods:
            return ()  # the cluster removes those that ended, and with them what they printed
        newest = max(pods, key=lambda pod: str(pod["metadata"]["creationTimestamp"]))
        text = await self.api.text(
            f"{self.service.path('pods', newest['metadata']['name'])}/log?tailLines=20"
        )
        return tuple(line.strip() for line in text.strip().splitlines() if line.strip())

    async def _template(self) -> Object:
        name = self.service.sides[Side.BLUE]
        path = self.service.path("deployments", name)
        template: Object = (await self.api.must_get(path, f"Deployment {name}"))["spec"]["template"]
        return template

    def _wish(
        self, name: str, image: str, command: tuple[str, ...], more: dict[str, str], template: Object
    ) -> Object:
        serving = self.service.container_of(template)
        known = [one for one in serving.get("env") or () if one["name"] not in more]
        container = {
            **{key: value for key, value in serving.items() if key not in _LEFT_OUT},
            "image": image,
            "command": list(command),
            "args": [],
            "env": [*known, *({"name": key, "value": value} for key, value in more.items())],
        }
        spec = {**template["spec"], "containers": [container], "restartPolicy": "Never"}
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": name,
                "namespace": self.service.namespace,
                "labels": {"app.kubernetes.io/managed-by": MANAGER},
            },
            "spec": {
                "backoffLimit": 0,
                "activeDeadlineSeconds": int(self.seconds),
                "template": {"metadata": {"labels": {"app.kubernetes.io/managed-by": MANAGER}}, "spec": spec},
            },
        }


@dataclass(frozen=True, slots=True)
class KubernetesDatabase:
    """A database that only pods of the cluster reach.

    Its Jobs are made once for each launch and backup: run again, what they made is read.
    """

    jobs: Jobs
    migrate_command: tuple[str, ...]
    """What brings the schema to the head of a release; its last printed line is the revision then."""
    launch: str = ""
    """The launch's id: another launch of the same image migrates again."""
    back_up_command: tuple[str, ...] = ()
    """What dumps the database; its last printed line is a JSON object with `file`, `sha256`, `bytes`, `rows`."""

    async def back_up(self, name: str) -> Json:
        """See `Database.back_up`: by the image that blue runs; `name` is handed to it as `TMINUS_BACKUP`."""
        if not self.back_up_command:
            raise RolloutError(
                "no backup can be made: the plan names no command that makes one",
                hint="name target.back_up in the plan; a release is not migrated without a backup",
            )
        image = await self.jobs.serving_image()
        job = f"{self.jobs.service.sides[Side.BLUE]}-backup-{sha256(name.encode()).hexdigest()[:12]}"
        said = await self.jobs.last_line(job, image, self.back_up_command, {"TMINUS_BACKUP": name})
        try:
            told = json.loads(said)
            return {**told, "file": str(told["file"]), "job": job}
        except (ValueError, TypeError, KeyError) as error:
            raise InconclusiveError(
                f"Job {job} has ended well, but its last line is no JSON object with `file`: {said[:200]!r}",
                hint="have the command print what it made as its last line",
            ) from error

    async def migrate(self, digest: str) -> Json:
        """See `Database.migrate`; the revision before is not read."""
        service = self.jobs.service
        mark = sha256(f"{self.launch} {digest}".encode()).hexdigest()[:12]
        job = f"{service.sides[Side.GREEN]}-migrate-{mark}"
        said = await self.jobs.last_line(job, service.pinned(digest), self.migrate_command, {})
        if not said:
            raise InconclusiveError(
                f"Job {job} has ended well, but what it printed is not there: the revision is not known",
                hint="have the command print the revision as its last line; delete the Job to have it run again",
            )
        return {"before": NOT_READ, "after": said, "job": job}


@dataclass(frozen=True, slots=True)
class KubernetesSmoke:
    """The smoke tests of a service, by a command of each side's own image: it knows what its release can do."""

    jobs: Jobs
    target: KubernetesTarget
    command: tuple[str, ...]
    """What tests the side at `TMINUS_URL`; it ends with 0 when all is well, else it prints what fails."""

    async def failures(self, url: str) -> list[str]:
        """See `Smoke.failures`; each run is a Job of its own, for what was well an hour ago need not be now."""
        side = next(side for side in Side if self.target.private_url(side) == url)
        digest = (await self.target.seen(side)).digest
        if not digest:
            return [f"{side} runs no image that could test itself"]
        job = f"{self.jobs.service.sides[side]}-smoke-{token_hex(6)}"
        ran = await self.jobs.run(
            job, self.jobs.service.pinned(digest), self.command, {"TMINUS_URL": url}, left=LEFT_SECONDS
        )
        if ran.well:
            return []
        return [*ran.lines[-MOST_LINES:]] or [f"{job} failed and printed nothing: {ran.why}"]


@dataclass(frozen=True, slots=True)
class KubernetesCommands:
    """Commands of a release, each a Job of its own."""

    jobs: Jobs

    async def run(self, digest: str, command: Sequence[str], name: str = "") -> str:
        """See `Commands.run`: a Job goes on without us, and is found again by its name."""
        image, job = self.jobs.service.pinned(digest), self._job(name)
        return await self.jobs.last_line(job, image, tuple(command), {}, left=LEFT_SECONDS)

    async def settle(self, name: str) -> None:
        """See `Commands.settle`."""
        await self.jobs.ended(self._job(name))

    def _job(self, name: str) -> str:
        mark = sha256(name.encode()).hexdigest()[:12] if name else token_hex(6)
        return f"{self.jobs.service.sides[Side.GREEN]}-run-{mark}"


def _ended(job: Object) -> str:
    """`Complete` or `Failed`; empty while it runs."""
    given = (job.get("status") or {}).get("conditions") or ()
    return next(
        (one["type"] for one in given if one["type"] in {"Complete", "Failed"} and one["status"] == "True"),
        "",
    )


def _why(job: Object) -> str:
    failed = next(one for one in job["status"]["conditions"] if one["type"] == "Failed")
    return f"{failed.get('reason', '')}, {failed.get('message', '')}"
