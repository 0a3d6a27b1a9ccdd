"""One traffic counted three times: by the users, by the proxy, and by what of the proxy's log arrived here."""

from collections.abc import Mapping, Sequence

from tminus.domain.cost import cost
from tminus.domain.traffic import Outcome

USERS = "user-"
"""How the load's clients are named (`X-Client`); what names itself otherwise is a look of tminus' own."""


def census(users: Mapping[str, object], outcomes: Sequence[Outcome], lost: int, slow_ms: float) -> str:
    """What each count says, and whether they agree; where they do not, why that can be.

    It counts until the users were sent home. Who was answered later than `slow_ms` is counted by the proxy alone.
    """
    sent, failed = int(str(users["total"])), int(str(users["failed"]))
    theirs = [outcome for outcome in outcomes if outcome.client.startswith(USERS)]
    refused = sum(outcome.failed for outcome in theirs)
    ours = len(outcomes) - len(theirs)
    spoiled = sum(outcome.failed for outcome in outcomes) - refused
    late = cost(theirs, slow_ms)["slow"]
    agree = (sent, failed) == (len(theirs), refused)
    return (
        f"users, until they were sent home: {sent:,} requests sent, {failed:,} failed; the proxy logged "
        f"{len(theirs):,} of theirs, {refused:,} failed, {late:,} answered later than {slow_ms / 1000:g} s, and "
        f"{ours:,} looks of our own, {spoiled:,} failed; {lost:,} log lines lost: "
        f"{'the counts agree' if agree else _apart(sent - len(theirs), failed - refused)}"
    )


def _apart(unlogged: int, unseen: int) -> str:
    told = []
    if unlogged > 0:
        told.append(
            f"{unlogged:,} were sent and not logged: they never reached the proxy, or their lines were lost"
        )
    if unlogged < 0:
        told.append(f"{-unlogged:,} were logged and not counted: their users were stopped before the answer")
    if unseen > 0:
        told.append(f"{unseen:,} failed for their users alone: refused (401), or lost on the way")
    if unseen < 0:
        told.append(f"{-unseen:,} failed at the proxy alone: their users had gone")
    return "; ".join(told)
