"""depot as an ASGI app: a release's routes, the routes of every release, and what errors look like."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from redis.exceptions import RedisError

from . import exports, fault_orders, health, hooks, integrations, maintenance_orders, ofrep
from .backlogs import Backlogs
from .cors import Cors
from .database import Database
from .faults import FaultInjector, suffer_faults
from .flags import Flags
from .keystore import KeyStore
from .maintenance import Maintenance, Switch
from .parts import Parts
from .rate import RateLimit, Ruler
from .release import Release, running_digest
from .settings import Settings
from .telemetry import Metrics, Telemetry

_OPERATIONS: tuple[APIRouter, ...] = (
    health.router,
    fault_orders.router,
    maintenance_orders.router,
    ofrep.orders,
)
_COMMON: tuple[APIRouter, ...] = (exports.router, hooks.router, ofrep.router, integrations.router)
"""What users meet in every release."""


def create_app(release: Release, settings: Settings) -> FastAPI:
    """An app that serves one release; nothing is connected until it starts."""
    parts = _parts(release, settings)
    app = FastAPI(title="depot", version=release.version, lifespan=_lifespan, docs_url=None, redoc_url=None)
    app.state.parts = parts
    # The last one added meets a request first.
    app.add_middleware(RateLimit, ruler=_ruler(parts))
    app.add_middleware(Maintenance, switch=parts.maintenance)
    app.add_middleware(Cors, origins=settings.cors_origins)
    app.add_middleware(Telemetry, metrics=parts.metrics)
    for router in _OPERATIONS:
        app.include_router(router)
    for router in (*release.routers(), *_COMMON):
        app.include_router(router, dependencies=[Depends(suffer_faults)])
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(psycopg.OperationalError, _database_away)
    app.add_exception_handler(TimeoutError, _database_away)
    app.add_exception_handler(RedisError, _redis_away)
    app.add_exception_handler(psycopg.errors.UndefinedTable, _not_migrated)
    return app


def _parts(release: Release, settings: Settings) -> Parts:
    database = Database(settings.database_url)
    keystore = KeyStore(settings.redis_url) if settings.redis_url is not None else None
    return Parts(
        release=release,
        settings=settings,
        digest=running_digest(),
        started=time.monotonic(),
        database=database,
        injector=FaultInjector(settings.faults, settings.fault_seed),
        metrics=Metrics(),
        flags=Flags(database),
        maintenance=Switch(),
        backlogs=Backlogs(database, keystore, has_partner=settings.partner is not None),
        keystore=keystore,
    )


def _ruler(parts: Parts) -> Ruler | None:
    if parts.keystore is None or not parts.settings.limits:
        return None
    return Ruler(parts.settings.limits, parts.keystore.client, parts.settings.token_secret, parts.metrics)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    parts: Parts = app.state.parts
    await parts.database.open()
    if parts.settings.faults.leak is not None:
        await parts.database.set_leak(parts.settings.faults.leak)
    try:
        yield
    finally:
        parts.backlogs.close()
        if parts.keystore is not None:
            await parts.keystore.close()
        await parts.database.close()


async def _database_away(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"detail": "the database does not answer"}, 503, headers={"Retry-After": "1"})


async def _redis_away(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"detail": "Redis does not answer"}, 503, headers={"Retry-After": "1"})


async def _not_migrated(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"detail": "the schema is older than this release: python -m depot migrate up"}, 503)


async def _not_understood(_request: Request, error: Exception) -> Response:
    # Without the input that FastAPI would repeat: it may be a password, or text that no JSON can carry.
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    detail = [{key: problem[key] for key in ("type", "loc", "msg")} for problem in problems]
    return JSONResponse({"detail": detail}, 422)
