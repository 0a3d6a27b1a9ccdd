"""Feature flags: defined in the table `flags`, decided here, read by depot through the OpenFeature SDK.

A definition names its variants, the default one, and rules by attributes of the context; the first rule that fits
decides. Each process keeps the table for `FRESH_SECONDS`, so a change is in force everywhere within that time. While
the database is away the last known definitions hold, with the reason STALE.
"""

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeVar

import psycopg
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import FlagNotFoundError, ProviderNotReadyError, TypeMismatchError
from openfeature.flag_evaluation import (
    FlagEvaluationDetails,
    FlagResolutionDetails,
    FlagType,
    FlagValueType,
    Reason,
)
from openfeature.provider import AbstractProvider, Metadata
from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from .database import Database

FRESH_SECONDS = 1.0
TARGETING_KEY = "targetingKey"

Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
Value = StrictBool | StrictInt | StrictFloat | StrictStr | dict[str, Any]
T = TypeVar("T")

_TYPES: tuple[tuple[type, FlagType, FlagValueType], ...] = (
    (bool, FlagType.BOOLEAN, False),  # before int: every bool is one
    (int, FlagType.INTEGER, 0),
    (float, FlagType.FLOAT, 0.0),
    (str, FlagType.STRING, ""),
    (dict, FlagType.OBJECT, {}),
)


class Rule(BaseModel):
    """For contexts whose attribute is one of these values: this variant."""

    attribute: str = Field(min_length=1, max_length=100)
    values: list[StrictBool | StrictInt | StrictFloat | StrictStr] = Field(min_length=1, max_length=1000)
    variant: str


class Definition(BaseModel):
    """One flag: a disabled one has its default variant for everybody."""

    enabled: bool = True
    variants: dict[str, Value] = Field(min_length=1, max_length=50)
    default: str
    rules: list[Rule] = Field(default_factory=list, max_length=50)

    @model_validator(mode="after")
    def _is_consistent(self) -> "Definition":
        unknown = {self.default, *(rule.variant for rule in self.rules)} - set(self.variants)
        if unknown:
            raise ValueError(f"no such variant: {', '.join(sorted(unknown))}")
        if len({flag_type(value)[0] for value in self.variants.values()}) > 1:
            raise ValueError("the variants are of several types")
        return self


def flag_type(value: object) -> tuple[FlagType, FlagValueType]:
    """The type of a flag with this value, and a value of that type which says nothing."""
    return next((kind, nothing) for python, kind, nothing in _TYPES if isinstance(value, python))


def decide(definition: Definition, context: Mapping[str, object]) -> tuple[str, Reason]:
    """The variant for a context, and why."""
    if not definition.enabled:
        return definition.default, Reason.DISABLED
    for rule in definition.rules:
        given = context.get(rule.attribute)
        if any(type(given) is type(value) and given == value for value in rule.values):
            return rule.variant, Reason.TARGETING_MATCH
    return definition.default, Reason.DEFAULT if definition.rules else Reason.STATIC


class TableProvider(AbstractProvider):
    """OpenFeature's view of the table."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database
        self._known: dict[str, tuple[Definition, str]] | None = None
        self._read_at = 0.0
        self._stale = False

    def get_metadata(self) -> Metadata:
        """The name under which OpenFeature knows this provider."""
        return Metadata(name="depot-table")

    async def refresh(self) -> dict[str, Definition]:
        """Every definition, at most `FRESH_SECONDS` old while the database answers."""
        if self._known is None or time.monotonic() - self._read_at > FRESH_SECONDS:
            try:
                rows = await self._database.rows("SELECT key, definition, changed_at FROM flags ORDER BY key")
            except (psycopg.OperationalError, TimeoutError) as error:
                if self._known is None:
                    raise ProviderNotReadyError("the flags were not read yet") from error
                self._stale = True
            else:
                self._known = {
                    row["key"]: (Definition.model_validate(row["definition"]), row["changed_at"].isoformat())
                    for row in rows
                }
                self._stale = False
            self._read_at = time.monotonic()
        return {key: definition for key, (definition, _) in self._known.items()}

    def resolve_boolean_details(
        self,
        flag_key: str,
        default_value: bool,  # noqa: FBT001 - OpenFeature's signature
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[bool]:
        """The value of a boolean flag."""
        return self._resolve(flag_key, default_value, evaluation_context)

    def resolve_string_details(
        self, flag_key: str, default_value: str, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[str]:
        """The value of a string flag."""
        return self._resolve(flag_key, default_value, evaluation_context)

    def resolve_integer_details(
        self, flag_key: str, default_value: int, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[int]:
        """The value of an integer flag."""
        return self._resolve(flag_key, default_value, evaluation_context)

    def resolve_float_details(
        self, flag_key: str, default_value: float, evaluation_context: EvaluationContext | None = None
    ) -> FlagResolutionDetails[float]:
        """The value of a float flag."""
        return self._resolve(flag_key, default_value, evaluation_context)

    def resolve_object_details(
        self,
        flag_key: str,
        default_value: Sequence[FlagValueType] | Mapping[str, FlagValueType],
        evaluation_context: EvaluationContext | None = None,
    ) -> FlagResolutionDetails[Sequence[FlagValueType] | Mapping[str, FlagValueType]]:
        """The value of an object flag."""
        return self._resolve(flag_key, default_value, evaluation_context)

    def _resolve(
        self, key: str, default: T, evaluation_context: EvaluationContext | None
    ) -> FlagResolutionDetails[T]:
        if self._known is None:
            raise ProviderNotReadyError("the flags were not read yet")
        if key not in self._known:
            raise FlagNotFoundError(f"no flag {key}")
        definition, changed_at = self._known[key]
        context = evaluation_context or EvaluationContext()
        attributes = {**context.attributes, TARGETING_KEY: context.targeting_key}
        variant, reason = decide(definition, attributes)
        value: Any = definition.variants[variant]
        if flag_type(value)[0] is not flag_type(default)[0]:
            raise TypeMismatchError(f"the flag {key} is of type {flag_type(value)[0]}")
        return FlagResolutionDetails(
            value=value,
            variant=variant,
            reason=Reason.STALE if self._stale else reason,
            flag_metadata={"changed_at": changed_at},
        )


class Flags:
    """The flags of one app, by way of an OpenFeature client of its own."""

    def __init__(self, database: Database) -> None:
        self._provider = TableProvider(database)
        domain = f"depot-{uuid.uuid4().hex}"
        api.set_provider_and_wait(self._provider, domain)
        self._client = api.get_client(domain)

    async def is_on(self, key: str, user: str, *, default: bool) -> bool:
        """Whether a boolean flag is on for a user; the default where the flag is unknown or cannot be read."""
        await self._try_refresh()
        details = await self._client.get_boolean_details_async(key, default, EvaluationContext(user))
        return details.value

    async def keys(self) -> list[str]:
        """Every flag; raises OpenFeature's `ProviderNotReadyError` when none could be read yet."""
        return list(await self._provider.refresh())

    async def evaluate(self, key: str, context: EvaluationContext) -> FlagEvaluationDetails[FlagValueType]:
        """A flag of any type for a context; what is wrong stands in `error_code`."""
        known = await self._provider.refresh()
        definition = known.get(key)
        value = definition.variants[definition.default] if definition is not None else False
        kind, nothing = flag_type(value)
        return await self._client.evaluate_flag_details_async(kind, key, nothing, context)

    async def _try_refresh(self) -> None:
        try:
            await self._provider.refresh()
        except ProviderNotReadyError:
            # The client then finds the same and gives the default, as OpenFeature prescribes.
            return
