"""What a pod takes from Vault without a Secret: files of the agent's sidecar, volumes of a provider class.

Sources: Vault Agent Injector and OpenBao's, annotations `vault.hashicorp.com/agent-inject*` and
`openbao.openbao.org/agent-inject*`; Secrets Store CSI driver and its providers of Vault and OpenBao.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

from .api import Object
from .origins import Limits, Origin, Place
from .placeholders import elsewhere
from .references import mapping, mappings, named, template, text

PROVIDERS = ("vault", "openbao")
_AGENTS = ("vault.hashicorp.com/", "openbao.openbao.org/")
_SECRET, _TEMPLATE, _FILE = "agent-inject-secret-", "agent-inject-template-", "agent-inject-template-file-"
_YES = {"1", "t", "T", "true", "TRUE", "True"}
"""What Go's `strconv.ParseBool` takes for true."""
_CALL = re.compile(r"(?<![\w.$\"`-])secret(?![\w-])(?:\s+(?:\"([^\"]*)\"|`([^`]*)`))?")
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_KEY = re.compile(r"\.Data\.data\.(\w+)")
_MANAGED = "secrets-store.csi.k8s.io/managed"
_DRIVER = ("csi-secrets-store", "secrets-store-csi", "secrets-store-csi-driver")
"""As whom the CSI driver writes a Secret: the name in its requests, which its releases have changed."""


def of_agents(workload: Object) -> list[Origin]:
    """What agents put into a workload's pods; none where no annotation asks for one."""
    found = (_of_agent(workload, prefix) for prefix in _AGENTS)
    return [one for one in found if one is not None]


def _of_agent(workload: Object, prefix: str) -> Origin | None:
    given = dict(_given(template(workload), prefix))
    named_so = [key for key in given if key.startswith((_SECRET, _TEMPLATE))]
    injects = given.get("agent-inject") in _YES
    if not injects and not named_so:
        return _above(workload, prefix)
    proof = f"agent in {named(workload)}"
    if not injects:
        why = f"{named(workload)} names secrets, and {prefix}agent-inject is not true"
        return Origin(proof, problems=(why,))
    read = _Read(proof, given.get("namespace"))
    if config := given.get("agent-configmap"):
        # The agent then has its whole configuration from there, and no annotation names anything.
        read.remarks.append(
            f"{proof} is configured by the ConfigMap {config}, whose paths were not looked at"
        )
    else:
        for name in dict.fromkeys(_named(key) for key in named_so):
            read.one(name, given)
        if not named_so:
            read.remarks.append(
                f"{proof} is injected, and its annotations name no secret that could be looked at"
            )
    servers = (given.get("service", ""),)
    return Origin(proof, "", tuple(read.places), remarks=tuple(read.remarks), servers=servers)


def _given(thing: Object, prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in mapping(mapping(thing.get("metadata")).get("annotations")).items():
        if key.startswith(prefix) and text(value):
            yield key.removeprefix(prefix), text(value)


def _named(key: str) -> str:
    """The name that a secret, its template and its template's file have in common."""
    for start in (_SECRET, _FILE, _TEMPLATE):
        if key.startswith(start):
            return key.removeprefix(start)
    return key


@dataclass(slots=True)
class _Read:
    """What was read of one agent's annotations."""

    proof: str
    namespace: str | None
    places: list[Place] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    def one(self, name: str, given: dict[str, str]) -> None:
        """Read one of them; a template is asked for what it says, and the path beside it is then asked by nobody."""
        if f"{_FILE}{name}" in given:
            self.remarks.append(f"{self.proof} makes {name} by a template in a file, which was not looked at")
            return
        path, body = given.get(f"{_SECRET}{name}", ""), given.get(f"{_TEMPLATE}{name}", "")
        calls = [first or second for first, second in _CALL.findall(_inside(name, body, given))]
        if "" in calls:
            self.remarks.append(
                f"{self.proof} makes up a path in the template {name}, which was not looked at"
            )
        paths = [*dict.fromkeys(filter(None, calls))] or ([] if calls else [path])
        # Of several paths nobody can tell here which one a key is of.
        keys = frozenset(_KEY.findall(body) if len(paths) == 1 and "" not in calls else ())
        self.places += [Place("", one, self.namespace, keys) for one in paths if one]


def _inside(name: str, body: str, given: dict[str, str]) -> str:
    """A template's actions without its text and its comments."""
    left = given.get(f"agent-template-left-delim-{name}", "{{")
    right = given.get(f"agent-template-right-delim-{name}", "}}")
    actions = re.findall(f"{re.escape(left)}(.*?){re.escape(right)}", body, re.DOTALL)
    return _COMMENT.sub("", "\n".join(actions))


def _above(workload: Object, prefix: str) -> Origin | None:
    """Annotations that stand on a workload and not on its pods, where the agent looks for them."""
    own = [key for key, _ in _given(workload, prefix)]
    if not template(workload) or not any(key.startswith((_SECRET, _TEMPLATE)) for key in own):
        return None
    why = f"{named(workload)} names secrets for the agent itself, and not in its pod template: nothing is injected"
    return Origin(f"agent in {named(workload)}", problems=(why,))


def of_class(thing: Object | None, name: str, limits: Limits) -> Origin:
    """What a provider class puts into the pods that mount it."""
    proof = f"SecretProviderClass/{name}"
    if thing is None:
        return Origin(proof, problems=(f"there is no {proof}",))
    spec = mapping(thing.get("spec"))
    provider, given = text(spec.get("provider")), mapping(spec.get("parameters"))
    if provider not in PROVIDERS:
        return Origin(proof, problems=(f"{proof} takes from {provider or 'nothing'}, not from Vault",))
    places = tuple(_places(text(given.get("objects")), text(given.get("vaultNamespace")) or None))
    problems = [] if places else [f"{proof} names no secret that can be read from it"]
    servers = [text(given.get(key)) for key in ("vaultAddress", "baoAddress") if text(given.get(key))]
    hosts = [elsewhere(server, limits.staging) for server in servers]
    problems += [f"{proof} takes from {host}, which is another environment's" for host in hosts if host]
    return Origin(proof, "", places, tuple(problems), servers=tuple(servers) or ("",), managers=_DRIVER)


def _places(objects: str, namespace: str | None) -> Iterator[Place]:
    try:
        entries = mappings(yaml.safe_load(objects))
    except (yaml.YAMLError, ValueError, RecursionError):
        return  # it names nothing that anybody can read, which is told by the caller
    by_path: dict[str, set[str]] = {}
    for entry in entries:
        key = text(entry.get("secretKey"))
        by_path.setdefault(text(entry.get("secretPath")), set()).update({key} if key else ())
    for path, keys in by_path.items():
        if path:
            yield Place("", path, namespace, frozenset(keys))


def syncs(thing: Object, secret: Object) -> bool:
    """Whether a provider class writes this Secret, and the driver has marked it as its own."""
    marked = mapping(secret.get("labels")).get(_MANAGED) == "true"
    written = mappings(mapping(thing.get("spec")).get("secretObjects"))
    return marked and text(secret.get("name")) in {text(one.get("secretName")) for one in written}
