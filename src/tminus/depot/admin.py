"""Who may change a running depot: whoever brings the fault token."""

import hmac
from typing import Annotated

from fastapi import Header, HTTPException

from .parts import Wired


async def admin_only(parts: Wired, x_fault_token: Annotated[str, Header()] = "") -> None:
    """Refuse whoever does not bring the fault token, and everybody where none is set."""
    expected = parts.settings.fault_token
    if expected is None or not hmac.compare_digest(x_fault_token.encode(), expected.encode()):
        raise HTTPException(403, "X-Fault-Token is missing or wrong, or faults are closed")
