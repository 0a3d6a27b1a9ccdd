"""What a pod takes from Vault without a Secret: files of the agent's sidecar, volumes of a provider class.

Sources: Vault Agent Injector, annotations `vault.hashicorp.com/agent-inject*`; Secrets Store CSI driver and its
providers of Vault and OpenBao.
"""

import re
from collections.abc import Iterator

import yaml

from .api import Object
from .origins import Limits, Origin, Place
from .placeholders import elsewhere
from .references import mapping, mappings, named, template, text

PROVIDERS = ("vault", "openbao")
_AGENT = "vault.hashicorp.com/"
_INJECT = f"{_AGENT}agent-inject"
_SECRET, _TEMPLATE = f"{_INJECT}-secret-", f"{_INJECT}-template-"
_OF_TEMPLATE = re.compile(r"\bsecret\s+\"([^\"]+)\"")
_KEY = re.compile(r"\.Data\.data\.(\w+)")
_MANAGED = "secrets-store.csi.k8s.io/managed"


def of_agent(workload: Object) -> Origin | None:
    """What the agent puts into a workload's pods; nothing where no annotation names a secret."""
    annotations = mapping(mapping(template(workload).get("metadata")).get("annotations"))
    given = {key: text(value) for key, value in annotations.items() if text(value)}
    named_so = {key.removeprefix(_SECRET): path for key, path in given.items() if key.startswith(_SECRET)}
    texts = {key.removeprefix(_TEMPLATE): body for key, body in given.items() if key.startswith(_TEMPLATE)}
    for name, body in texts.items():
        if name not in named_so and (found := _OF_TEMPLATE.search(body)):
            named_so[name] = found[1]
    if not named_so:
        return _above(workload)
    namespace = given.get(f"{_AGENT}namespace", "")
    places = tuple(
        Place("", path, namespace, frozenset(_KEY.findall(texts.get(name, ""))))
        for name, path in named_so.items()
    )
    off = (
        []
        if given.get(_INJECT) == "true"
        else [f"{named(workload)} names secrets, and {_INJECT} is not true"]
    )
    server = given.get(f"{_AGENT}service", "")
    servers = (server,) if server else ()
    return Origin(f"agent in {named(workload)}", "", places, tuple(off), servers=servers)


def _above(workload: Object) -> Origin | None:
    """Annotations that stand on a workload and not on its pods, where the agent looks for them."""
    own = mapping(mapping(workload.get("metadata")).get("annotations"))
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
    places = tuple(_places(text(given.get("objects")), text(given.get("vaultNamespace"))))
    problems = [] if places else [f"{proof} names no secret that can be read from it"]
    servers = [text(given.get(key)) for key in ("vaultAddress", "baoAddress") if text(given.get(key))]
    hosts = [elsewhere(server, limits.staging) for server in servers]
    problems += [f"{proof} takes from {host}, which is another environment's" for host in hosts if host]
    return Origin(proof, "", places, tuple(problems), servers=tuple(servers))


def _places(objects: str, namespace: str) -> Iterator[Place]:
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
