"""For how long a launch that is over stays in the store; its exported record stays for ever."""

from collections.abc import Mapping

from tminus.domain.canonical import instant

DAY = 86400.0
KEPT_DAYS = 90.0
"""For how long by default: a quarter of a year, in which whoever looks back finds a launch where it was."""


def due(ended: Mapping[str, str | None], now: float, days: float) -> list[str]:
    """Which launches have been over for at least so many days, the longest first.

    `ended` says by launch when it ended, as `canonical.timestamp` writes it, or that it has not; such a one is never
    due.
    """
    past = {launch: instant(at) for launch, at in ended.items() if at is not None}
    return sorted((launch for launch, at in past.items() if at <= now - days * DAY), key=past.__getitem__)
