"""`/maintenance`: read and change whether users are kept out of a running depot."""

from fastapi import APIRouter, Depends

from .admin import admin_only
from .maintenance import MaintenanceOrder, Switch
from .parts import Wired

router = APIRouter(dependencies=[Depends(admin_only)])


@router.get("/maintenance")
async def read_maintenance(parts: Wired) -> dict[str, object]:
    """Whether users are kept out now."""
    return _state(parts.maintenance)


@router.put("/maintenance")
async def order_maintenance(parts: Wired, order: MaintenanceOrder) -> dict[str, object]:
    """Keep users out, or let them in again; at once, for requests that come from now on."""
    parts.maintenance.order = order if order.on else None
    return _state(parts.maintenance)


def _state(switch: Switch) -> dict[str, object]:
    return {"on": False} if switch.order is None else switch.order.model_dump()
