"""`/faults`: read and change the misbehaviour of a running depot."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Header, HTTPException
from pydantic import BaseModel

from .faults import FaultInjector, Faults, FaultSpecError
from .parts import Wired


class FaultOrder(BaseModel):
    """The faults wanted from now on; empty ends them."""

    spec: str


async def _allowed(parts: Wired, x_fault_token: Annotated[str, Header()] = "") -> None:
    expected = parts.settings.fault_token
    if expected is None or not hmac.compare_digest(x_fault_token.encode(), expected.encode()):
        raise HTTPException(403, "X-Fault-Token is missing or wrong, or faults are closed")


router = APIRouter(dependencies=[Depends(_allowed)])


@router.get("/faults")
async def read_faults(parts: Wired) -> dict[str, str | int]:
    """The faults in force and the requests counted since they were set."""
    return _state(parts.injector)


@router.put("/faults")
async def order_faults(parts: Wired, order: FaultOrder) -> dict[str, str | int]:
    """Replace the faults at once; the count of requests starts anew."""
    try:
        parts.injector.order(Faults.parse(order.spec))
    except FaultSpecError as error:
        raise HTTPException(422, str(error)) from error
    return _state(parts.injector)


def _state(injector: FaultInjector) -> dict[str, str | int]:
    return {"spec": str(injector.faults), "requests": injector.requests}
