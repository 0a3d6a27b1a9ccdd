"""Which paths belong to operations and not to users.

They are spared by rate limits and by maintenance, and no page of another origin may use them: whoever looks after
depot must reach it when users cannot.
"""

_OPERATIONS = frozenset({"health", "metrics", "faults", "maintenance", "flags"})


def is_operation(path: str) -> bool:
    """Whether a path belongs to operations."""
    return path[1:].partition("/")[0] in _OPERATIONS
