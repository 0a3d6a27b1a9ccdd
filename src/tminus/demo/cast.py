"""Who of a launch's people is real."""

from collections.abc import Mapping
from typing import Any


def people(data: Mapping[str, Any]) -> str:
    """Who of a launch's people is real and who is simulated, from what its opening says."""
    real = [str(role["person"]) for role in data["roles"] if not role["simulated"]]
    simulated = len(data["roles"]) - len(real)
    told = [f"real: {', '.join(real)}"] if real else []
    return "; ".join(
        [*told, f"simulated: {'all' if not real else 'the other'} {simulated}"] if simulated else told
    )
