"""depot's SBOM: the packages that it imports, with all that they need, in the versions that it runs with here.

depot's image holds its own code alone; the rest comes from the Python environment that runs it, so that is what is
told. The same environment gives the same bytes: neither a time nor a random number stands in it.
"""

import json
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from typing import Final

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

DIRECT: Final = (
    "alembic",
    "fastapi",
    "httptools",
    "openfeature-sdk",
    "prometheus-client",
    "psycopg[binary]",
    "psycopg-pool",
    "pydantic",
    "python-multipart",
    "redis",
    "sqlalchemy",
    "starlette",
    "uvicorn",
    "uvloop",
)
"""What depot imports, or runs with."""


def bom(version: str) -> bytes:
    """The SBOM of one version of depot, as CycloneDX 1.6 in JSON."""
    components = [_component(name, found) for name, found in sorted(packages(DIRECT).items())]
    depot = Component(name="depot", version=version, type=ComponentType.APPLICATION, bom_ref="depot")
    made = Bom(components=components)
    made.metadata.component = depot
    made.register_dependency(depot, components)
    document = json.loads(JsonV1Dot6(made).output_as_string())
    # A time and a random number would give each build another digest.
    del document["serialNumber"], document["metadata"]["timestamp"]
    return json.dumps(document, sort_keys=True, indent=1).encode()


def _component(name: str, version: str) -> Component:
    purl = PackageURL("pypi", None, name, version)
    return Component(
        name=name, version=version, type=ComponentType.LIBRARY, purl=purl, bom_ref=purl.to_string()
    )


def packages(wanted: Iterable[str]) -> dict[str, str]:
    """These distributions and all that they need, by name: the version that is installed here."""
    found: dict[str, str] = {}
    asked: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in wanted]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            continue  # not for this platform, and so nothing that runs here
        found[name] = installed.version
        for extra in ("", *requirement.extras):
            if (name, extra) in asked:
                continue
            asked.add((name, extra))
            needs = map(Requirement, installed.requires or [])
            waiting += [one for one in needs if one.marker is None or one.marker.evaluate({"extra": extra})]
    return found
