"""Measure a team's metrics while a release meets users, and say what they come to.

A measurement never delays the judging of requests: it runs beside it and is taken up when it is done. A metric that
failed rolls back; one of which nothing is known holds, and goes on by itself with the first answer that passes or
fails. All counts stand in the record with each look of the guard; a later process goes on from there, and measures anew
what was measured after it.
"""

import asyncio
from collections.abc import Sequence
from typing import cast

from tminus.control.ports import Clock, Json, Meter
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Verdict
from tminus.domain.measurement import Measurement, Measurements, Reading, measured, restored, unread
from tminus.domain.metric import Metric, Stage
from tminus.errors import InconclusiveError, ProbeError


class Measuring:
    """The metrics of one launch."""

    def __init__(self, metrics: Sequence[Metric], meter: Meter, clock: Clock) -> None:
        self._meter = meter
        self._clock = clock
        self._so_far = {metric.id: Measurements(metric) for metric in metrics}
        self._baselines: dict[str, float] = {}
        self._tasks: dict[str, asyncio.Task[Measurement]] = {}
        self._fresh: dict[str, list[tuple[int, Measurement]]] = {metric.id: [] for metric in metrics}
        """Measurements that no look of the guard has recorded yet, each with its number."""
        self._resumes: list[float] = []

    @property
    def needs_baseline(self) -> bool:
        """Whether something is to be measured before the release meets anything."""
        return any(one.metric.asked_before for one in self._so_far.values())

    async def begin(self) -> Json:
        """The baselines that are taken while blue serves alone, for `remember`.

        Raises `ProbeError` for one that is no number: the launch holds until there is something to compare with.
        """
        taken: dict[str, JsonValue] = {}
        for one in self._so_far.values():
            if query := one.metric.asked_before:
                reading = await self._meter.read(one.metric.system, query)
                if why := reading.unfit():
                    raise InconclusiveError(
                        f"the metric {one.metric.id} has no baseline: {why}",
                        hint="see what its query gives while only blue serves, and correct it",
                    )
                taken[one.metric.id] = reading.values[0]
        return {"baselines": taken}

    def remember(self, begun: Json) -> None:
        """Take up what `begin` read, in this process or in one before it."""
        self._baselines = dict(cast("dict[str, float]", begun["baselines"]))

    def enter(self, stage: Stage) -> None:
        """A stage has begun; said again, nothing happens."""
        now = self._clock.now()
        for name, one in self._so_far.items():
            if one.metric.begins is stage and one.begun is None:
                self._so_far[name] = one.starting(now)

    def leave(self, stage: Stage) -> str:
        """A stage is over as soon as this says nothing: else which metric is not done, in words."""
        for name, one in self._so_far.items():
            if one.metric.ends is stage:
                self._so_far[name] = one.closing()
        return next((why for one in self._so_far.values() if (why := one.waits_for(stage))), "")

    def poll(self, now: float) -> None:
        """Take up what was measured, and begin what is due."""
        for name, task in [*self._tasks.items()]:
            if task.done():
                self._take(name, task.result())
                del self._tasks[name]
        while self._resumes and self._resumes[0] <= now:
            self._resumes.pop(0)
            self._so_far = {name: one.anew() for name, one in self._so_far.items()}
        for name, one in self._so_far.items():
            due = one.due()
            if name not in self._tasks and due is not None and now >= due:
                self._tasks[name] = asyncio.create_task(self._measure(one.metric))

    def failed(self) -> tuple[str, str] | None:
        """The rule and the reason of a metric that has failed; nothing while none has."""
        one = self._first(Verdict.FAILED)
        return (one.metric.rule, one.reason()) if one else None

    def unknown(self) -> str:
        """Of which metric too little is known to go on, and why; empty while there is none."""
        one = self._first(Verdict.INCONCLUSIVE) or self._first(Verdict.ERROR)
        return one.reason() if one else ""

    def resume(self, at: float) -> None:
        """A person lets the launch go on: what could not be known until then is no reason to hold any more."""
        self._resumes.append(at)

    def gauge(self) -> list[JsonValue]:
        """Every metric with its counts, and the measurements that no look has recorded yet."""
        return [
            {**one.data(), "measurements": [{"number": n, **each.data()} for n, each in self._fresh[name]]}
            for name, one in self._so_far.items()
        ]

    def recall(self, rows: Sequence[JsonValue]) -> None:
        """Go on from what a look has recorded, where that is more than is known here."""
        for row in rows:
            assert isinstance(row, dict)  # noqa: S101 - gauge() made it
            name = str(row["metric"])
            if name not in self._so_far:
                continue
            kept = restored(self._so_far[name].metric, row)
            if kept.taken > self._so_far[name].taken or kept.verdict is Verdict.FAILED:
                self._so_far[name] = kept
            elif kept.begun is not None and self._so_far[name].last is None:
                self._so_far[name] = self._so_far[name].starting(kept.begun)
            self._fresh[name] = [each for each in self._fresh[name] if each[0] > kept.taken]

    async def stop(self) -> None:
        """Measure no more; what is under way is given up."""
        tasks = [*self._tasks.values()]
        self._tasks = {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _measure(self, metric: Metric) -> Measurement:
        try:
            reading = await self._meter.read(metric.system, metric.asked)
        except ProbeError as error:
            return unread(self._clock.now(), f"{error} ({error.hint})")
        return measured(metric, self._clock.now(), reading, await self._beside(metric))

    async def _beside(self, metric: Metric) -> Reading | str | None:
        if metric.id in self._baselines:
            return Reading((self._baselines[metric.id],))
        if not metric.asked_beside:
            return None
        try:
            return await self._meter.read(metric.system, metric.asked_beside)
        except ProbeError as error:
            return f"{error} ({error.hint})"

    def _take(self, name: str, new: Measurement) -> None:
        one = self._so_far[name]
        if not one.over:
            self._so_far[name] = one.after(new)
            self._fresh[name].append((self._so_far[name].taken, new))

    def _first(self, verdict: Verdict) -> Measurements | None:
        return next((one for one in self._so_far.values() if one.verdict is verdict), None)
