"""Whether a plan demands anything: one that looks at nothing, signs nothing or can fire nothing passes too easily."""

from tminus.domain.plan import Check, Kind, Rollout, Severity
from tminus.planfile.findings import Findings


def demands(found: Findings, checks: tuple[Check, ...], rollout: Rollout | None) -> None:
    """Tell what a plan lacks before its gates mean anything; a plan marked production must observe, sign and guard."""
    if not checks and not found.problems:
        found.tell(("checks",), "no line stands in this plan; no lines never pass: write at least one")
    if not found.document.production or found.problems:
        return
    if not any(
        check.kind is Kind.PROBE and check.due < 0 and check.severity is not Severity.ADVISORY
        for check in checks
    ):
        found.tell(
            ("checks",),
            "no required line is observed before T-0; a production plan looks at the system: add a probe",
        )
    if not any(check.kind is Kind.SIGNATURE for check in checks):
        found.tell(("checks",), "nobody signs this production plan; add a line with `sign: ROLE`")
    if not found.document.triggers:
        found.tell(("triggers",), "nothing rolls this production plan back; write the triggers")
    for index, rung in enumerate(rollout.ladder if rollout else ()):
        if rung.watch_seconds <= 0:
            found.tell(
                ("rollout", "ladder", index, "watch"),
                f"{rung.percent} % is not watched at all; a production plan watches every rung: write a time",
            )
