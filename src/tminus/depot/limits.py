"""What the rate limits are: so many requests in so many seconds, for everyone and for named client keys."""

from collections.abc import Mapping
from dataclasses import dataclass, field

EVERYONE = "*"


class LimitSpecError(ValueError):
    """A specification of limits that cannot be followed."""


@dataclass(frozen=True)
class Limit:
    """So many requests in so many seconds."""

    requests: int
    seconds: int


@dataclass(frozen=True)
class Limits:
    """The limit of everyone, and those of named keys."""

    everyone: Limit | None = None
    keys: Mapping[str, Limit] = field(default_factory=dict)

    @classmethod
    def parse(cls, spec: str) -> "Limits":
        """The limits that `*=600/60,probe=20/10` asks for: requests and seconds; empty is none.

        Raises `LimitSpecError` for a repeated or impossible part.
        """
        found: dict[str, Limit] = {}
        for part in filter(None, (part.strip() for part in spec.split(","))):
            name, _, value = part.rpartition("=")
            requests, _, seconds = value.partition("/")
            if not name or name in found:
                raise LimitSpecError(f"{part!r} is not KEY=REQUESTS/SECONDS, or the key is given twice")
            found[name] = Limit(_whole(requests), _whole(seconds))
        return cls(found.pop(EVERYONE, None), found)

    def __bool__(self) -> bool:
        return self.everyone is not None or bool(self.keys)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0):
        raise LimitSpecError(f"{text!r} is not a whole number above 0")
    return int(text)
