"""The published shapes of PagerDuty and Slack, read from beside the repository where they are kept."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

FOLDER = (Path(__file__).parents[4] / "shared" / "openapi").resolve()


def published(name: str) -> dict[str, Any]:
    """One description; skips the test where it is not kept."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the published description {name} is not kept beside this repository")
    read: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"), object_hook=_with_null)
    return read


def problems(whole: dict[str, Any], schema: dict[str, Any], value: Any) -> list[str]:
    """What a value lacks of a schema that stands inside of a description."""
    around = {name: whole[name] for name in ("components", "definitions") if name in whole}
    validator = jsonschema.Draft202012Validator({**schema, **around})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def _with_null(schema: dict[str, Any]) -> dict[str, Any]:
    """OpenAPI 3.0 says `nullable` where JSON Schema names the type; Slack lists alternatives under `items`."""
    if schema.get("nullable") is True and isinstance(schema.get("type"), str):
        return {**schema, "type": [schema["type"], "null"]}
    if set(schema) <= {"items"} and isinstance(schema.get("items"), list):
        return {"anyOf": schema["items"]}
    return schema
