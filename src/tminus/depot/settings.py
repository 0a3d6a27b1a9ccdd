"""depot's configuration: environment variables, read once, all problems reported together.

`VARIABLES` is the one list of what may be set. `python -m depot schema` prints it, so that a launch can compare
the environment it is about to give with what the release expects.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Literal

from .cors import is_origin
from .errors import SettingsError
from .faults import Faults, FaultSpecError
from .limits import Limits, LimitSpecError


@dataclass(frozen=True)
class Variable:
    """One environment variable that depot reads."""

    name: str
    type: Literal["url", "text", "integer", "faults"]
    about: str
    required: bool = False
    secret: bool = False
    default: str | None = None


DATABASE_URL = Variable("DEPOT_DATABASE_URL", "url", "postgresql://...", required=True, secret=True)
TOKEN_SECRET = Variable(
    "DEPOT_TOKEN_SECRET", "text", "signs tokens, 16 characters or more", required=True, secret=True
)
TOKEN_SECONDS = Variable("DEPOT_TOKEN_SECONDS", "integer", "life of a token", default="300")
REFRESH_SECONDS = Variable(
    "DEPOT_REFRESH_SECONDS", "integer", "life of a refresh token and so of an idle session", default="86400"
)
UPLOAD_MAX_BYTES = Variable("DEPOT_UPLOAD_MAX_BYTES", "integer", "largest file accepted", default="26214400")
FAULTS = Variable(
    "DEPOT_FAULTS",
    "faults",
    "misbehaviour from the start: errors=0.2,slow=0.3:3.0,crash=40,corrupt=0.2,leak=40",
)
FAULT_TOKEN = Variable(
    "DEPOT_FAULT_TOKEN", "text", "opens /faults, /maintenance and /flags; unset: closed", secret=True
)
FAULT_SEED = Variable("DEPOT_FAULT_SEED", "integer", "makes the dice of the faults repeatable")
USER_PASSWORD = Variable(
    "DEPOT_USER_PASSWORD", "text", "read by adduser and seed only; else standard input", secret=True
)
REDIS_URL = Variable("DEPOT_REDIS_URL", "url", "redis://...; unset: no exports, no rate limits", secret=True)
RATE_LIMITS = Variable(
    "DEPOT_RATE_LIMITS", "text", "requests/seconds of everyone and of named client keys: *=600/60,probe=20/10"
)
CORS_ORIGINS = Variable(
    "DEPOT_CORS_ORIGINS", "text", "origins whose pages may use depot, by commas; unset: none"
)
WEBHOOK_URL = Variable("DEPOT_WEBHOOK_URL", "url", "where the worker sends events; unset: no events")
WEBHOOK_SECRET = Variable(
    "DEPOT_WEBHOOK_SECRET", "text", "signs events sent, 16 characters or more", secret=True
)
HOOK_SECRET = Variable(
    "DEPOT_HOOK_SECRET",
    "text",
    "checks messages received, 16 characters or more; unset: none taken",
    secret=True,
)
WORKER_LOST_SECONDS = Variable(
    "DEPOT_WORKER_LOST_SECONDS",
    "integer",
    "a silent worker's jobs are given to others after this",
    default="10",
)
VARIABLES = (
    DATABASE_URL,
    TOKEN_SECRET,
    TOKEN_SECONDS,
    REFRESH_SECONDS,
    UPLOAD_MAX_BYTES,
    FAULTS,
    FAULT_TOKEN,
    FAULT_SEED,
    REDIS_URL,
    RATE_LIMITS,
    CORS_ORIGINS,
    WEBHOOK_URL,
    WEBHOOK_SECRET,
    HOOK_SECRET,
    WORKER_LOST_SECONDS,
    USER_PASSWORD,
)


_POSTGRESQL = ("postgresql://", "postgres://")


@dataclass(frozen=True)
class Partner:
    """Where events go, and the secret shared with whoever answers there."""

    url: str
    secret: bytes


@dataclass(frozen=True)
class Settings:
    """What `serve` and `worker` need to know."""

    database_url: str
    token_secret: bytes
    token_seconds: int
    upload_max_bytes: int
    faults: Faults
    fault_token: str | None
    fault_seed: int | None
    refresh_seconds: int = 86_400
    redis_url: str | None = None
    limits: Limits = field(default_factory=Limits)
    cors_origins: tuple[str, ...] = ()
    partner: Partner | None = None
    """Who gets events; none: events are not even stored."""
    hook_secret: bytes | None = None
    worker_lost_seconds: int = 10


def schema() -> dict[str, object]:
    """The variables as JSON: name, type, required, secret, default, about."""
    return {"prefix": "DEPOT_", "variables": [asdict(variable) for variable in VARIABLES]}


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in an environment.

    Raises `SettingsError` with every problem. Values are never repeated in it, since they may be secrets.
    """
    reader = _Reader(environ)
    settings = Settings(
        database_url=reader.url(DATABASE_URL, *_POSTGRESQL) or "",
        token_secret=reader.secret(TOKEN_SECRET) or b"",
        token_seconds=reader.integer(TOKEN_SECONDS, low=1) or 0,
        upload_max_bytes=reader.integer(UPLOAD_MAX_BYTES, low=1) or 0,
        faults=reader.faults(FAULTS),
        fault_token=reader.text(FAULT_TOKEN),
        fault_seed=reader.integer(FAULT_SEED, low=0),
        refresh_seconds=reader.integer(REFRESH_SECONDS, low=1) or 0,
        redis_url=reader.url(REDIS_URL, "redis://", "rediss://", "unix://"),
        limits=reader.limits(RATE_LIMITS),
        cors_origins=reader.origins(CORS_ORIGINS),
        partner=reader.partner(),
        hook_secret=reader.secret(HOOK_SECRET),
        worker_lost_seconds=reader.integer(WORKER_LOST_SECONDS, low=1) or 0,
    )
    if settings.limits and settings.redis_url is None:
        reader.complain(RATE_LIMITS, f"needs {REDIS_URL.name}")
    reader.finish()
    return settings


def read_database_url(environ: Mapping[str, str]) -> str:
    """The database address alone, for commands that need nothing else."""
    reader = _Reader(environ)
    url = reader.url(DATABASE_URL, *_POSTGRESQL)
    reader.finish()
    return url or ""


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def text(self, variable: Variable) -> str | None:
        value = self._environ.get(variable.name) or variable.default
        if value is None and variable.required:
            self._problems.append(f"{variable.name} is required: {variable.about}")
        return value

    def complain(self, variable: Variable, what: str) -> None:
        self._problems.append(f"{variable.name} {what}")

    def url(self, variable: Variable, *schemes: str) -> str | None:
        value = self.text(variable)
        if value is not None and not value.startswith(schemes):
            self.complain(variable, f"does not start with {' or '.join(schemes)}")
        return value

    def secret(self, variable: Variable) -> bytes | None:
        value = self.text(variable)
        if value is not None and len(value) < 16:
            self.complain(variable, "is shorter than 16 characters")
        return None if value is None else value.encode()

    def partner(self) -> Partner | None:
        url = self.url(WEBHOOK_URL, "https://", "http://")
        secret = self.secret(WEBHOOK_SECRET)
        if url is not None and secret is not None:
            return Partner(url, secret)
        if url is not None or secret is not None:
            self.complain(WEBHOOK_URL, f"and {WEBHOOK_SECRET.name} are set together or not at all")
        return None

    def limits(self, variable: Variable) -> Limits:
        try:
            return Limits.parse(self.text(variable) or "")
        except LimitSpecError as error:
            self.complain(variable, f"cannot be followed: {error}")
            return Limits()

    def origins(self, variable: Variable) -> tuple[str, ...]:
        given = (self.text(variable) or "").split(",")
        origins = tuple(filter(None, (origin.strip() for origin in given)))
        if not all(is_origin(origin) for origin in origins):
            self.complain(variable, "is no list of origins like https://app.example; * and null are none")
        return origins

    def integer(self, variable: Variable, *, low: int) -> int | None:
        value = self.text(variable)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and len(value) < 16 and int(value) >= low):
            self.complain(variable, f"is not a whole number of {low} or more")
            return low
        return int(value)

    def faults(self, variable: Variable) -> Faults:
        try:
            return Faults.parse(self.text(variable) or "")
        except FaultSpecError as error:
            self.complain(variable, f"asks for the impossible: {error}")
            return Faults()

    def finish(self) -> None:
        if self._problems:
            raise SettingsError("; ".join(self._problems))
