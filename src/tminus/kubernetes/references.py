"""What a workload names: ConfigMaps, Secrets and provider classes, each with the key and the place in the pod.

Objects come from an API or from files that anybody may have written, so nothing of their shape is taken for granted:
what is not of the type that it should be names nothing. Source: Kubernetes 1.32, `PodSpec`, `EnvFromSource`,
`EnvVarSource`, `Volume`; Secrets Store CSI driver, `volumeAttributes`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .api import Object

CONFIG_MAP, SECRET, PROVIDER_CLASS = "ConfigMap", "Secret", "SecretProviderClass"
CSI_DRIVER = "secrets-store.csi.k8s.io"
_SECRET_OF = {"azureFile": ("secretName",), "csi": ("nodePublishSecretRef", "name")}
"""By a volume's source that names a Secret in a way of its own: the way; all others have `secretRef`."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One place of one workload that names an object of its namespace."""

    kind: str
    """`ConfigMap`, `Secret` or `SecretProviderClass`."""
    name: str
    key: str
    """Empty where the whole object is meant."""
    optional: bool
    """Whether the pod starts without it."""
    by: str
    """The workload: `Deployment/api`."""
    where: str
    """The place in it: `container api, env DB_HOST`."""

    @property
    def told(self) -> str:
        """Who names it, in words."""
        return f"{self.by} ({self.where})"


def mapping(value: Any) -> dict[str, Any]:
    """A mapping as it is; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[dict[str, Any]]:
    """The mappings of a list; none for anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    """A text as it is; an empty one for anything else."""
    return value if isinstance(value, str) else ""


def named(thing: Object) -> str:
    """An object as people write it: `Deployment/api`."""
    return f"{text(thing.get('kind'))}/{text(mapping(thing.get('metadata')).get('name'))}"


def template(thing: Object) -> Object:
    """The pod that a workload runs, its metadata and its spec; empty for what is no workload.

    Any kind with a pod template in `spec.template` is one, so also those of operators.
    """
    spec = mapping(thing.get("spec"))
    if thing.get("kind") == "Pod":
        return thing
    job = mapping(mapping(spec.get("jobTemplate")).get("spec"))
    found = mapping((job or spec).get("template"))
    return found if isinstance(mapping(found.get("spec")).get("containers"), list) else {}


def references(thing: Object) -> list[Reference]:
    """Everything that a workload names, in the order of its pod; nothing for what is no workload."""
    return [one for one in _all(thing) if one.name]


def nameless(thing: Object) -> list[Reference]:
    """Every place of a workload that refers to an object and does not say to which."""
    return [one for one in _all(thing) if not one.name]


def _all(thing: Object) -> list[Reference]:
    pod = mapping(template(thing).get("spec"))
    found = [*_of_containers(pod), *_of_volumes(pod), *_of_pulls(pod)]
    return [
        Reference(kind, name, key, optional, named(thing), where)
        for kind, name, key, optional, where in found
    ]


_Found = tuple[str, str, str, bool, str]


def _of_containers(pod: Object) -> Iterator[_Found]:
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for container in mappings(pod.get(key)):
            place = f"container {text(container.get('name'))}"
            for source in mappings(container.get("envFrom")):
                for word, kind in (("configMapRef", CONFIG_MAP), ("secretRef", SECRET)):
                    if word not in source:
                        continue
                    wanted = mapping(source[word])
                    yield kind, text(wanted.get("name")), "", _optional(wanted), f"{place}, envFrom"
            for variable in mappings(container.get("env")):
                yield from _of_variable(variable, place)


def _of_variable(variable: Object, place: str) -> Iterator[_Found]:
    value = mapping(variable.get("valueFrom"))
    for word, kind in (("configMapKeyRef", CONFIG_MAP), ("secretKeyRef", SECRET)):
        if word not in value:
            continue
        wanted = mapping(value[word])
        where = f"{place}, env {text(variable.get('name'))}"
        yield kind, text(wanted.get("name")), text(wanted.get("key")), _optional(wanted), where


def _of_volumes(pod: Object) -> Iterator[_Found]:
    for volume in mappings(pod.get("volumes")):
        place = f"volume {text(volume.get('name'))}"
        yield from _of_files(volume, place, "secretName")
        for source in mappings(mapping(volume.get("projected")).get("sources")):
            yield from _of_files(source, place, "name")
        csi = mapping(volume.get("csi"))
        if csi.get("driver") == CSI_DRIVER:
            given = mapping(csi.get("volumeAttributes"))
            yield PROVIDER_CLASS, text(given.get("secretProviderClass")), "", False, place
        for kind, source in volume.items():
            way = _SECRET_OF.get(kind, ("secretRef", "name"))
            found: Any = source
            for step in way:
                found = mapping(found).get(step)
            if way[0] in mapping(source):
                yield SECRET, text(found), "", False, place


def _of_files(source: Object, place: str, name_of_secret: str) -> Iterator[_Found]:
    """A volume's files out of a ConfigMap or a Secret: some of its keys, or all of it."""
    for word, kind, key in (("configMap", CONFIG_MAP, "name"), ("secret", SECRET, name_of_secret)):
        if word not in source:
            continue
        wanted = mapping(source[word])
        items = mappings(wanted.get("items"))
        for one in [text(item.get("key")) for item in items] or [""]:
            yield kind, text(wanted.get(key)), one, _optional(wanted), place


def _of_pulls(pod: Object) -> Iterator[_Found]:
    for one in mappings(pod.get("imagePullSecrets")):
        # Pods start without it where the node has the image, which nobody should rely on.
        yield SECRET, text(one.get("name")), "", False, "imagePullSecrets"


def _optional(wanted: Object) -> bool:
    return wanted.get("optional") is True
