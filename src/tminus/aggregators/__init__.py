"""Where the lines of all logs are gathered: Loki, Elasticsearch or OpenSearch, systemd's journal, files.

| address | what stands behind it |
|---|---|
| `loki+https://USER:PASSWORD@HOST/PREFIX` | Grafana Loki |
| `elasticsearch+https://USER:PASSWORD@HOST/INDEX`, `opensearch+https://…` | indices, such as `logs-*` |
| `journal:`, `journal:/FOLDER` | systemd's journal of this machine, or one that others send theirs to |
| `files:/PATTERN` | files that this machine can read, such as `/var/log/remote/*/app.log` |

`http` instead of `https` is for networks that nobody else reads on. `:TOKEN@` without a user is a token: `Bearer` for
Loki, `ApiKey` for Elasticsearch.
"""

from tminus.aggregators.elasticsearch import Elasticsearch
from tminus.aggregators.journal import Journal
from tminus.aggregators.lines import Aggregator
from tminus.aggregators.loki import Loki
from tminus.aggregators.place import Place
from tminus.aggregators.textfiles import TextFiles
from tminus.errors import InconclusiveError

__all__ = ["opened"]


def opened(address: str, tenant: str = "") -> Aggregator:
    """The aggregator at an address; raises `InconclusiveError` for an address of none.

    `tenant` is Loki's, where it has several.
    """
    kind, _, rest = address.partition(":")
    system, _, scheme = kind.partition("+")
    if scheme in {"http", "https"} and system == "loki":
        return Loki(Place.of(f"{scheme}:{rest}", "Bearer"), tenant)
    if scheme in {"http", "https"} and system in {"elasticsearch", "opensearch"}:
        return Elasticsearch(Place.of(f"{scheme}:{rest}", "ApiKey"))
    if kind == "journal" and (not rest or rest.startswith("/")):
        return Journal(rest)
    if kind == "files" and rest.startswith("/"):
        return TextFiles(rest)
    raise InconclusiveError(
        "the address of the logs is none that is known",
        hint="let it begin with loki+https://, elasticsearch+https://, opensearch+https://, journal: or files:/",
    )
