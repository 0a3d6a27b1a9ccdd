"""The operators that write Secrets from Vault, as their objects show them; no Vault is asked, the values are made up.

External Secrets (`external-secrets.io/v1`), Vault Secrets Operator (`secrets.hashicorp.com/v1beta1`), Secrets Store CSI
driver (`secrets-store.csi.x-k8s.io/v1`).
"""

import json
import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha3_224
from typing import Any

from ..clock import read, wall_clock
from .fields import updated
from .kinds import named
from .orders import Orders
from .store import Json, Store
from .workloads import condition

_SECRET = named("Secret")
_PART = re.compile(r"(\d+)(h|m|s)")
_SECONDS = {"h": 3600, "m": 60, "s": 1}
_OWNED = "secrets.hashicorp.com/vso-ownerRefUID"
_LASTS = 3600
"""Seconds of a lease."""
_MANAGERS = {"ExternalSecret": "externalsecrets.external-secrets.io/{}", "Pod": "csi-secrets-store"}
"""By the kind that has a Secret written: as whom its operator writes it; the Vault Secrets Operator as its program."""
_LONGEST_MANAGER = 63


class Operators:
    """What becomes of the objects that ask for Secrets."""

    def __init__(self, store: Store, orders: Orders) -> None:
        self._store = store
        self._orders = orders

    def turn(self) -> None:
        """Each operator looks once."""
        if self._orders.operators_idle:
            return
        for kind in ("SecretStore", "ClusterSecretStore"):
            for one in self._store.every(kind):
                self._check(one)
        for one in self._store.every("ExternalSecret"):
            self._external(one)
        for kind in ("VaultStaticSecret", "VaultDynamicSecret", "VaultPKISecret"):
            for one in self._store.every(kind):
                self._vault(one)
        for one in self._store.every("Pod"):
            self._mounted(one)

    def _check(self, store: Json) -> None:
        reason = self._orders.store_reasons.get(store["metadata"]["name"], "")
        wish = condition("Ready", "False" if reason else "True", reason or "Valid")
        self._say(store, [wish], {"capabilities": "ReadWrite"})

    def _say(self, thing: Json, wishes: Iterable[Json], more: Json) -> None:
        """Give an object these conditions, each with the time since which it has had its status."""
        old = {one["type"]: one for one in (thing.get("status") or {}).get("conditions") or ()}
        now = self._store.now()
        given = []
        for wish in wishes:
            before = old.get(wish["type"], {})
            same = before.get("status") == wish["status"]
            given.append({**wish, "lastTransitionTime": before["lastTransitionTime"] if same else now})
        self._store.set_status(named(thing["kind"]), thing, {**more, "conditions": given})

    def _external(self, thing: Json) -> None:
        meta, spec = thing["metadata"], thing["spec"]
        reason = self._orders.unsynced.get(meta["name"], "")
        if not reason and not all(self._ready(meta["namespace"], one) for one in _stores(spec)):
            reason = "SecretSyncedError"
        status = thing.get("status") or {}
        if reason:
            kept = {key: status[key] for key in ("refreshTime",) if key in status}
            self._say(thing, [condition("Ready", "False", reason, "could not get secret data")], kept)
            return
        target = spec.get("target") or {}
        there = self._store.has(_SECRET, meta["namespace"], target.get("name", meta["name"]))
        synced = f"{meta['generation']}-{_digest(meta)}"
        if there and synced == status.get("syncedResourceVersion") and not self._due(spec, status):
            return
        keys = [one["secretKey"] for one in spec.get("data") or ()]
        for one in spec.get("dataFrom") or ():
            keys += self._orders.secret_keys.get((one.get("extract") or {}).get("key", ""), [])
        labels = {"reconcile.external-secrets.io/managed": "true"}
        self._write(
            thing,
            target.get("name", meta["name"]),
            keys,
            labels,
            owned=target.get("creationPolicy", "Owner") == "Owner",
        )
        done = condition("Ready", "True", "SecretSynced", "secret synced")
        self._say(thing, [done], {"refreshTime": self._store.now(), "syncedResourceVersion": synced})

    def _ready(self, namespace: str, reference: Json) -> bool:
        kind = named(reference.get("kind", "SecretStore"))
        where = namespace if kind.namespaced else ""
        if not self._store.has(kind, where, reference["name"]):
            return False
        conditions = (self._store.find(kind, where, reference["name"]).get("status") or {}).get("conditions")
        return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions or ())

    def _due(self, spec: Json, status: Json) -> bool:
        if not status.get("refreshTime"):
            return True
        interval = sum(
            int(number) * _SECONDS[unit] for number, unit in _PART.findall(spec.get("refreshInterval", "1h"))
        )
        once = spec.get("refreshPolicy") in {"CreatedOnce", "OnChange"}
        return not once and bool(interval) and wall_clock() - read(status["refreshTime"]) >= interval

    def _vault(self, thing: Json) -> None:
        meta, spec = thing["metadata"], thing["spec"]
        reason = self._orders.unsynced.get(meta["name"], "")
        status = "False" if reason else "True"
        about: Json = {"lastGeneration": meta["generation"]}
        if not reason:
            path = f"{spec['mount']}/{spec.get('path', '')}"
            pki = ["certificate", "private_key"]
            plain = pki if thing["kind"] == "VaultPKISecret" else ["username", "password"]
            keys = self._orders.secret_keys.get(path, plain)
            created = bool(spec["destination"].get("create"))
            # What it did not make it neither owns nor marks.
            labels = {_OWNED: meta["uid"], "app.kubernetes.io/managed-by": "hashicorp-vso"} if created else {}
            self._write(thing, spec["destination"]["name"], [*keys, "_raw"], labels, owned=created)
            about["secretMAC"] = "bWFk"
        if thing["kind"] == "VaultPKISecret" and not reason:
            until = (thing.get("status") or {}).get("expiration", int(wall_clock()) + _LASTS)
            about |= {"serialNumber": "17:67", "expiration": until, "valid": True, "error": ""}
        if thing["kind"] == "VaultDynamicSecret":
            given = (thing.get("status") or {}).get("secretLease")
            identity = self._orders.leases.get(meta["name"], f"{spec['mount']}/{spec['path']}/made-up")
            lease = {"id": identity, "duration": _LASTS, "renewable": True, "requestID": "made-up"}
            about |= {
                "secretLease": lease,
                "lastRenewalTime": (thing.get("status") or {}).get("lastRenewalTime", int(wall_clock()))
                if given == lease
                else int(wall_clock()),
                "staticCredsMetaData": {"lastVaultRotation": 0, "rotationPeriod": 0, "ttl": 0},
                "vaultClientMeta": {},
            }
        kinds = ("SecretSynced", "Healthy", "Ready")
        self._say(thing, [condition(kind, status, reason or "Synced") for kind in kinds], about)

    def _mounted(self, pod: Json) -> None:
        """The Secrets of the provider classes that a pod mounts."""
        for volume in pod["spec"].get("volumes") or ():
            csi = volume.get("csi") or {}
            name = (csi.get("volumeAttributes") or {}).get("secretProviderClass", "")
            kind, namespace = named("SecretProviderClass"), pod["metadata"]["namespace"]
            if not name or not self._store.has(kind, namespace, name):
                continue
            for wanted in self._store.find(kind, namespace, name)["spec"].get("secretObjects") or ():
                keys = [one["key"] for one in wanted.get("data") or ()]
                labels = {"secrets-store.csi.k8s.io/managed": "true"}
                self._write(pod, wanted["secretName"], keys, labels, owned=False)

    def _write(self, owner: Json, name: str, keys: Iterable[str], labels: Json, *, owned: bool) -> None:
        """Have a Secret hold these keys, as its operator's own."""
        meta = owner["metadata"]
        namespace = meta["namespace"]
        data = {key: b64encode(self._value(key).encode()).decode() for key in keys}
        about: dict[str, Any] = {"name": name, "namespace": namespace, "labels": labels}
        if owned:
            about["ownerReferences"] = [
                {
                    "apiVersion": owner["apiVersion"],
                    "kind": owner["kind"],
                    "name": meta["name"],
                    "uid": meta["uid"],
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ]
        manager = _manager(owner)
        wish: Json = {"metadata": about, "data": data, "type": "Opaque"}
        if not self._store.has(_SECRET, namespace, name):
            self._store.create(_SECRET, namespace, wish, manager)
            return
        live = self._store.find(_SECRET, namespace, name)
        # The Vault Secrets Operator writes the data as a whole, the others their own keys.
        kept = {} if owner["kind"].startswith("Vault") else live.get("data", {})
        new = {
            **live,
            "data": {**kept, **data},
            "metadata": {
                **live["metadata"],
                **about,
                "labels": {**(live["metadata"].get("labels") or {}), **labels},
            },
        }
        if {**new, "metadata": 0} != {**live, "metadata": 0} or about.get("ownerReferences") != live[
            "metadata"
        ].get("ownerReferences"):
            self._store.write(_SECRET, updated(live, new, manager, self._store.now()))

    def _value(self, key: str) -> str:
        return self._orders.secret_values.get(key, f"made up for {key}")


def _digest(meta: Json) -> str:
    """A digest of what an object is marked with, as External Secrets writes it behind the generation."""
    marks = [meta.get("annotations") or {}, meta.get("labels") or {}]
    return sha3_224(json.dumps(marks, sort_keys=True).encode()).hexdigest()


def _manager(owner: Json) -> str:
    name = owner["metadata"]["name"]
    found = _MANAGERS.get(owner["kind"], "vault-secrets-operator").format(name)
    if len(found) > _LONGEST_MANAGER:
        return f"externalsecrets.external-secrets.io/sha3/{sha3_224(name.encode()).hexdigest()}"
    return found


def _stores(spec: Json) -> list[Json]:
    entries = (*(spec.get("data") or ()), *(spec.get("dataFrom") or ()))
    own = [(one.get("sourceRef") or {}).get("storeRef") for one in entries]
    return [one for one in (spec.get("secretStoreRef"), *own) if one]
