"""How a launch opens: what it binds, and what the first event of its record says."""

from dataclasses import dataclass

from tminus.control.ports import Json
from tminus.domain.canonical import JsonValue, timestamp
from tminus.domain.expedition import Expedited
from tminus.domain.plan import Kind, Plan, Severity
from tminus.domain.poll import omitted_rows

OPENED_KEY = "opened"
"""The key of the first event: whoever opens a launch writes it, and the launch itself then finds it done."""


BY_HAND = "rollback.told"
"""The commands that roll back without tminus, where `launch.opened` does not have them."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What a launch binds that its plan leaves open."""

    launch: str
    """The launch's id."""
    release: dict[str, str]
    """SHA-256 of each component's new image, in hex."""
    previous: dict[str, str]
    """The same for what serves now; nothing where nobody has told."""
    t0: float
    speed: float
    by_hand: tuple[str, ...]
    """The commands that roll back without tminus."""
    asks: bool
    """Whether a person decides; else the plan does, by its gate and its signatures."""
    waits: bool = False
    """Whether a NO-GO waits for a new date, or to be scrubbed; else it is the end."""
    environment: str = ""
    """Where it takes place; empty for a demo's stage, which is nowhere else."""
    expedited: Expedited | None = None
    """What makes it an expedited launch; none where it takes the whole plan."""
    by_hand_file: str = ""
    """The file that holds the commands of `by_hand`, beside the record; empty where there is none."""


def opening(plan: Plan, binding: Binding) -> Json:
    """What `launch.opened` says: all that the launch binds, and the rules by which it is judged."""
    return {
        "launch": binding.launch,
        **({"environment": binding.environment} if binding.environment else {}),
        **({"expedited": binding.expedited.data()} if binding.expedited else {}),
        "plan": {
            "name": plan.name,
            "digest": plan.digest,
            "production": plan.production,
            "lines": plan.total,
        },
        "release": dict(binding.release),
        "previous": dict(binding.previous),
        "schedule": {"t0": timestamp(binding.t0), "speed": binding.speed},
        "valid_ms": round(plan.decision_seconds * 1000),
        **({"steady_ms": round(plan.steady_seconds * 1000)} if plan.steady_seconds else {}),
        "signers": [role.id for role in plan.roles if role.signs],
        "deciders": [role.id for role in plan.roles if role.decides],
        "roles": [
            {"role": r.id, "title": r.title, "person": r.person, "simulated": r.simulated} for r in plan.roles
        ],
        "required": [
            {
                "check": check.id,
                "due_ms": int(check.due * 1000),
                "severity": check.severity.value,
                "owner": check.owner,
                # Whose word a line stands on: what nobody has signed cannot make a real person's line green.
                "kind": check.kind.value,
                "simulated": check.simulated,
                "live_ms": None if check.fresh.limit is None else int(check.fresh.limit * 1000),
            }
            for check in plan.before_go()
            if check.severity is not Severity.ADVISORY
        ],
        "asked": [*_asked(plan)],
        "omitted": [*omitted_rows(plan)],
        "systems": {name: "real" if entry["real"] else "stand-in" for name, entry in plan.systems.items()},
        "by_hand": list(binding.by_hand),
        **({"by_hand_file": binding.by_hand_file} if binding.by_hand_file else {}),
    }


def _asked(plan: Plan) -> list[JsonValue]:
    """What lines ask of real people, whose word, and what beside it: whoever verifies holds each word to it."""
    return [
        {
            "check": check.id,
            "owner": check.owner,
            "severity": check.severity.value,
            "each": [*check.each],
            "shown": check.shown,
            "due_ms": int(check.due * 1000),
            "until_ms": None if check.until is None else int(check.until * 1000),
        }
        for check in plan.checks
        if check.kind is Kind.PERSON and not check.simulated
    ]
