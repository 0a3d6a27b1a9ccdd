"""depot as an ASGI app: a release's routes, the routes of every release, and what errors look like."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from fastapi import Depends, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from . import fault_orders, health
from .database import Database
from .faults import FaultInjector, suffer_faults
from .parts import Parts
from .release import Release, running_digest
from .settings import Settings
from .telemetry import Metrics, Telemetry


def create_app(release: Release, settings: Settings) -> FastAPI:
    """An app that serves one release; nothing is connected until it starts."""
    parts = Parts(
        release=release,
        settings=settings,
        digest=running_digest(),
        started=time.monotonic(),
        database=Database(settings.database_url),
        injector=FaultInjector(settings.faults, settings.fault_seed),
        metrics=Metrics(),
    )
    app = FastAPI(title="depot", version=release.version, lifespan=_lifespan, docs_url=None, redoc_url=None)
    app.state.parts = parts
    app.add_middleware(Telemetry, metrics=parts.metrics)
    app.include_router(health.router)
    app.include_router(fault_orders.router)
    for router in release.routers:
        app.include_router(router, dependencies=[Depends(suffer_faults)])
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_exception_handler(psycopg.OperationalError, _database_away)
    app.add_exception_handler(TimeoutError, _database_away)
    app.add_exception_handler(psycopg.errors.UndefinedTable, _not_migrated)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    database: Database = app.state.parts.database
    await database.open()
    try:
        yield
    finally:
        await database.close()


async def _database_away(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"detail": "the database does not answer"}, 503, headers={"Retry-After": "1"})


async def _not_migrated(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"detail": "the schema is older than this release: python -m depot migrate up"}, 503)


async def _not_understood(_request: Request, error: Exception) -> Response:
    # Without the input that FastAPI would repeat: it may be a password, or text that no JSON can carry.
    problems = error.errors() if isinstance(error, RequestValidationError) else []
    detail = [{key: problem[key] for key in ("type", "loc", "msg")} for problem in problems]
    return JSONResponse({"detail": detail}, 422)
