"""Maintenance mode: users get 503 with a text and a time to come back; operations go on.

The switch belongs to one process and is not stored: whoever orders maintenance tells every depot behind the proxy,
also when the database is away, and a restarted depot serves.
"""

from dataclasses import dataclass

from pydantic import BaseModel, Field
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from .operations import is_operation


class MaintenanceOrder(BaseModel):
    """Whether users are kept out, and what they are told."""

    on: bool
    text: str = Field(default="depot is being worked on; nothing is lost", min_length=1, max_length=500)
    retry_after: int = Field(default=60, ge=1, le=86_400)


@dataclass
class Switch:
    """The order in force; none while depot serves."""

    order: MaintenanceOrder | None = None


class Maintenance:
    """ASGI middleware that answers users while maintenance is on."""

    def __init__(self, app: ASGIApp, switch: Switch) -> None:
        self._app = app
        self._switch = switch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or answer it."""
        order = self._switch.order
        if order is None or scope["type"] != "http" or is_operation(scope["path"]):
            await self._app(scope, receive, send)
            return
        headers = {"Retry-After": str(order.retry_after), "Cache-Control": "no-store"}
        await JSONResponse({"detail": order.text}, 503, headers)(scope, receive, send)
