"""Whether a rung of the ladder was judged on enough: too little traffic proves nothing, so the shift waits for more."""

from tminus.domain.plan import Plan, Rung
from tminus.domain.rollout import Share

LOAD_SECONDS = 30.0
"""How far back the traffic is counted, in seconds; what is younger than that counts as if nothing had come before."""


def rungs(plan: Plan) -> tuple[Rung, ...]:
    """What is climbed, rung by rung.

    Before the first user meets green stands a rung of 0 %, all traffic on blue, where the plan asks for traffic, or
    somebody else counts it, which is a target's: then it is waited for until it is seen.
    """
    waits = plan.rollout.per_second or plan.target is not None
    return ((Rung(0, 1.0, 0),) if waits else ()) + plan.rollout.ladder


def lacking(share: Share, rung: Rung, seen: float, wanted: float) -> str:
    """What a rung lacks, with how much was seen of how much; `seen` and `wanted` are requests a second."""
    lacks = []
    if seen < wanted:
        lacks.append(
            f"{seen:.1f} of the {wanted:g} requests a second that the plan asks for, over {LOAD_SECONDS:g} s"
        )
    if share.green < rung.min_requests:
        lacks.append(f"{share.green:,} of {rung.min_requests:,} requests on green")
    if not share.total:
        lacks.append("no request was routed by this weight")
    elif (
        rung.percent and not share.explained
    ):  # of 0 % there is nothing to explain: some counters count probes too
        lacks.append(
            f"{share.observed:.2%} of {share.total:,} requests went to green, where {rung.percent} % explains "
            f"{share.low:.2%} to {share.high:.2%}"
        )
    return "; ".join(lacks)
