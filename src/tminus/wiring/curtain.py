"""What stands behind references is shown to nobody: whatever a system says is told with references in its place."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from tminus.credentials import TELLING, in_address
from tminus.domain.canonical import JsonValue
from tminus.domain.evidence import Observation
from tminus.errors import TminusError

_PASSWORD = re.compile(r"\bpassword\s*=\s*'?([^\s']+)")


@dataclass(slots=True)
class Curtain:
    """What stands behind a plan's references, so that nobody is shown it."""

    references: dict[str, str] = field(default_factory=dict, repr=False)
    """By the value, or a secret part of one: the reference that stands for it."""

    def draw(self, reference: str, value: str, *, hook: bool = False) -> None:
        """Hide this value from now on, and its login and query alone too; of a webhook its path as well."""
        if value != reference:
            for part in (
                value,
                value.rstrip("/"),
                *_secret_parts(value),
                *(_path_parts(value) if hook else ()),
            ):
                if len(part) >= TELLING:
                    self.references.setdefault(part, reference)

    def text(self, text: str) -> str:
        """The text with references in the place of values."""
        for value in sorted(self.references, key=len, reverse=True):
            text = text.replace(value, self.references[value])
        return text

    def error(self, error: TminusError) -> TminusError:
        """The same error in words that may be shown."""
        return type(error)(self.text(str(error)), hint=self.text(error.hint))

    def json(self, value: JsonValue) -> JsonValue:
        """The same value with every text in it as it may be shown."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.json(one) for one in value]
        if isinstance(value, dict):
            return {self.text(key): self.json(one) for key, one in value.items()}
        return value

    def observation(self, seen: Observation) -> Observation:
        """The same observation as it may be shown."""
        return Observation(
            self.json(seen.value),
            {self.text(key): self.json(one) for key, one in seen.seen.items()},
            {self.text(key): self.json(one) for key, one in seen.material.items()},
            tuple(self.text(one) for one in seen.remarks),
            self.text(seen.fact),
            self.text(seen.worse),
        )


def _secret_parts(value: str) -> set[str]:
    """What opens an address, in every form; and the password of a connection, written and unquoted."""
    parts = {*in_address(value), *_PASSWORD.findall(value)}
    return parts | {unquote(one) for one in parts}


def _path_parts(value: str) -> set[str]:
    """The path of an address, and what follows each of its slashes: whoever knows it may post there."""
    try:
        steps = urlsplit(value).path.strip("/").split("/")
    except ValueError:
        return set()
    return {"/".join(steps[at:]) for at in range(len(steps))}
