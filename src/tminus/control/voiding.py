"""Sign-offs that no longer stand are said to be void, with what has changed under them, so that people sign again."""

from collections.abc import Mapping, Sequence

from tminus.control.ports import Json, Record
from tminus.domain.agenda import Date
from tminus.domain.course import course_of
from tminus.domain.evidence import Claim
from tminus.domain.plan import Plan
from tminus.domain.poll import VOIDED, evidence_of, void, votes
from tminus.domain.record import Event
from tminus.domain.rollout import State


async def tell_void(plan: Plan, record: Record, events: Sequence[Event], claims: Mapping[str, Claim]) -> None:
    """Record each sign-off of the open poll that these claims void, once."""
    course = course_of(events)
    if course.phase is not State.POLLING or not course.signed:
        return
    date, given = Date(course.attempt, course.holds), votes(events)
    for role, changed in void(events, evidence_of(plan, events, claims)).items():
        if role in course.signed:
            vote = given[role]
            told: Json = {"role": role, "person": vote.person, "changes": [change.told for change in changed]}
            await record.append_while(date.stands, f"void:{role}:{vote.seq}", VOIDED, told)
