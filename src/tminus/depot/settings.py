"""depot's configuration: environment variables, read once, all problems reported together.

`VARIABLES` is the one list of what may be set. `python -m depot schema` prints it, so that a launch can compare
the environment it is about to give with what the release expects.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

from .errors import SettingsError
from .faults import Faults, FaultSpecError


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
UPLOAD_MAX_BYTES = Variable("DEPOT_UPLOAD_MAX_BYTES", "integer", "largest file accepted", default="26214400")
FAULTS = Variable("DEPOT_FAULTS", "faults", "misbehaviour from the start: errors=0.2,slow=0.3:3.0,crash=40")
FAULT_TOKEN = Variable("DEPOT_FAULT_TOKEN", "text", "opens PUT /faults; unset: closed", secret=True)
FAULT_SEED = Variable("DEPOT_FAULT_SEED", "integer", "makes the dice of the faults repeatable")
USER_PASSWORD = Variable(
    "DEPOT_USER_PASSWORD", "text", "read by adduser and seed only; else standard input", secret=True
)
VARIABLES = (
    DATABASE_URL,
    TOKEN_SECRET,
    TOKEN_SECONDS,
    UPLOAD_MAX_BYTES,
    FAULTS,
    FAULT_TOKEN,
    FAULT_SEED,
    USER_PASSWORD,
)


@dataclass(frozen=True)
class Settings:
    """What `serve` needs to know."""

    database_url: str
    token_secret: bytes
    token_seconds: int
    upload_max_bytes: int
    faults: Faults
    fault_token: str | None
    fault_seed: int | None


def schema() -> dict[str, object]:
    """The variables as JSON: name, type, required, secret, default, about."""
    return {"prefix": "DEPOT_", "variables": [asdict(variable) for variable in VARIABLES]}


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings in an environment.

    Raises `SettingsError` with every problem. Values are never repeated in it, since they may be secrets.
    """
    reader = _Reader(environ)
    settings = Settings(
        database_url=reader.url(DATABASE_URL),
        token_secret=reader.secret(TOKEN_SECRET),
        token_seconds=reader.integer(TOKEN_SECONDS, low=1) or 0,
        upload_max_bytes=reader.integer(UPLOAD_MAX_BYTES, low=1) or 0,
        faults=reader.faults(FAULTS),
        fault_token=reader.text(FAULT_TOKEN),
        fault_seed=reader.integer(FAULT_SEED, low=0),
    )
    reader.finish()
    return settings


def read_database_url(environ: Mapping[str, str]) -> str:
    """The database address alone, for commands that need nothing else."""
    reader = _Reader(environ)
    url = reader.url(DATABASE_URL)
    reader.finish()
    return url


class _Reader:
    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._problems: list[str] = []

    def text(self, variable: Variable) -> str | None:
        value = self._environ.get(variable.name) or variable.default
        if value is None and variable.required:
            self._problems.append(f"{variable.name} is required: {variable.about}")
        return value

    def url(self, variable: Variable) -> str:
        value = self.text(variable)
        if value is not None and not value.startswith(("postgresql://", "postgres://")):
            self._problems.append(f"{variable.name} does not start with postgresql://")
        return value or ""

    def secret(self, variable: Variable) -> bytes:
        value = self.text(variable)
        if value is not None and len(value) < 16:
            self._problems.append(f"{variable.name} is shorter than 16 characters")
        return (value or "").encode()

    def integer(self, variable: Variable, *, low: int) -> int | None:
        value = self.text(variable)
        if value is None:
            return None
        if not (value.isascii() and value.isdigit() and len(value) < 16 and int(value) >= low):
            self._problems.append(f"{variable.name} is not a whole number of {low} or more")
            return low
        return int(value)

    def faults(self, variable: Variable) -> Faults:
        try:
            return Faults.parse(self.text(variable) or "")
        except FaultSpecError as error:
            self._problems.append(f"{variable.name}: {error}")
            return Faults()

    def finish(self) -> None:
        if self._problems:
            raise SettingsError("; ".join(self._problems))
