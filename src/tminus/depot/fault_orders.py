"""`/faults`: read and change the misbehaviour of a running depot."""

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel

from .admin import admin_only
from .faults import FaultInjector, Faults, FaultSpecError
from .parts import Wired


class FaultOrder(BaseModel):
    """The faults wanted from now on; empty ends them."""

    spec: str


router = APIRouter(dependencies=[Depends(admin_only)])


@router.get("/faults")
async def read_faults(parts: Wired) -> dict[str, str | int]:
    """The faults in force and the requests counted since they were set."""
    return _state(parts.injector)


@router.put("/faults")
async def order_faults(parts: Wired, order: FaultOrder) -> dict[str, str | int]:
    """Replace the faults at once; the count of requests starts anew."""
    try:
        faults = Faults.parse(order.spec)
    except FaultSpecError as error:
        raise HTTPException(422, str(error)) from error
    if faults.leak is not None or parts.injector.faults.leak is not None:
        await parts.database.set_leak(faults.leak)
    parts.injector.order(faults)
    return _state(parts.injector)


def _state(injector: FaultInjector) -> dict[str, str | int]:
    return {"spec": str(injector.faults), "requests": injector.requests}
