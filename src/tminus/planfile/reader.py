"""The meaning of a plan's file: a document becomes a plan, or a list of all that is wrong with it."""

from dataclasses import replace

from tminus.domain import offsets
from tminus.domain.environments import named
from tminus.domain.plan import Check, Omission, Plan, Role, Rollout
from tminus.planfile import (
    asking,
    expecting,
    expediting,
    freezing,
    invariants,
    lines,
    lints,
    metering,
    paths,
    people,
    schedule,
    sources,
    targeting,
    telling,
    thresholds,
    worth,
)
from tminus.planfile.filling import to_fill
from tminus.planfile.findings import Findings, omitted_id
from tminus.planfile.identity import identity
from tminus.planfile.problem import ToFill


def meaning(found: Findings, now: float | None) -> tuple[Plan | None, tuple[ToFill, ...]]:
    """The plan and what is to fill in it; no plan when there is any problem, which is then among the findings.

    `now`, in seconds of the epoch, is needed for waivers that have run out; without it they are not looked for.
    """
    checks = lines.checks(found)
    lines.omitted(found)
    if found.document.environment:
        found.attempt(("environment",), lambda: named(found.document.environment))
    milestones = schedule.milestones(found)
    schedule.due(found, checks, milestones)
    rollout = schedule.rollout(found)
    schedule.figures(found)
    invariants.invariants(found)
    sources.sources(found)
    asking.asked(found)
    metering.metrics(found)
    targeting.target(found)
    targeting.changes(found)
    people.people(found)
    thresholds.ladder(found)
    for look in (lints.ids, lints.names, lints.omissions, lints.rollups, paths.upward):
        look(found)
    expecting.expectations(found)
    lints.waivers(found, now)
    short = expediting.expedited(found, checks, milestones)
    freezes, leads = freezing.freezes(found), freezing.leads(found)
    notify = telling.notify(found)
    worth.demands(found, checks, rollout)
    filling = to_fill(found)
    if found.problems or found.shaped.problems or rollout is None:
        return None, filling
    plan = _plan(found, checks, (milestones, rollout), filling)
    if plan is not None:
        plan = replace(plan, freezes=freezes, leads=leads, notify=notify, expedited=short)
        telling.unreached(found, plan)
    return plan, filling


def _plan(
    found: Findings,
    checks: tuple[Check, ...],
    schedule_: tuple[tuple[float, ...], Rollout],
    filling: tuple[ToFill, ...],
) -> Plan | None:
    document = found.document
    digest = found.attempt((), lambda: identity(document))
    if digest is None:
        return None
    return Plan(
        name=document.plan,
        digest=digest,
        production=document.production,
        components=tuple(document.release.components),
        checks=checks,
        omitted=tuple(
            Omission(tuple(map(omitted_id, entry.lines)), entry.reason) for entry in document.omitted
        ),
        roles=tuple(
            Role(
                role.id,
                role.title,
                role.person,
                role.simulated,
                role.decides,
                role.signs,
                role.email,
                role.slack,
            )
            for role in document.roles
        ),
        milestones=schedule_[0],
        rollout=schedule_[1],
        systems={name: system.model_dump(mode="json") for name, system in document.systems.items()},
        triggers=tuple(
            trigger.model_dump(mode="json", exclude={"source_line"}) for trigger in document.triggers
        ),
        metrics=metering.rows(document),
        target=targeting.row(document),
        others=targeting.moments(document),
        changes=targeting.changes_of(document),
        to_fill=tuple(entry.what for entry in filling),
        waivers=tuple(waiver.check for waiver in document.waivers),
        environment=document.environment,
        decision_seconds=offsets.seconds(document.decision.valid),
        steady_seconds=offsets.seconds(document.decision.steady),
    )
