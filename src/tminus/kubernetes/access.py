"""How a cluster is reached: a kubeconfig and a context of it, or the pod's own service account."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from tminus.errors import DeniedError, PartError

if TYPE_CHECKING:
    from kubernetes.aio.client import Configuration

IN_CLUSTER = "in-cluster"
"""The address of the cluster that we run in."""
_SECONDS = 30.0
"""How long a kubeconfig's own program may take to give a credential."""

_MALFORMED = (yaml.YAMLError, TypeError, ValueError, KeyError, AttributeError, IndexError)
"""What the client's reader stumbles over where a kubeconfig is not of the shape that it should be."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where the credentials of a cluster are; they are read when it is first called."""

    address: str = field(repr=False)
    """The path of a kubeconfig, or `in-cluster`."""
    context: str = ""
    """The context of it; empty for its current one."""

    async def configuration(self) -> Configuration:
        """What the official client needs; raises `PartError` or `DeniedError` when there is none."""
        try:
            # Three seconds, for those who have a cluster; nobody else's launch stands still meanwhile.
            await asyncio.to_thread(import_module, "kubernetes.aio.config")
            from kubernetes.aio import client, config  # noqa: PLC0415 - the same
        except ModuleNotFoundError as error:
            raise PartError(
                "the Kubernetes client is not installed", hint="install tminus[kubernetes]"
            ) from error
        found = client.Configuration()
        try:
            if self.address == IN_CLUSTER:
                config.load_incluster_config(client_configuration=found)  # type: ignore[no-untyped-call] # the client is partly typed
                return found
            self._demand_file()
            async with asyncio.timeout(_SECONDS):
                await config.load_kube_config(  # type: ignore[no-untyped-call] # the client is partly typed
                    config_file=self.address,
                    context=self.context or None,
                    client_configuration=found,
                    persist_config=False,
                )
        except TimeoutError as error:
            raise DeniedError(
                f"the kubeconfig's program gave no credential in {_SECONDS:g} s",
                hint="run `kubectl version` with the same kubeconfig and context",
            ) from error
        except _MALFORMED as error:
            raise PartError(
                f"the kubeconfig{self._which()} cannot be read: {type(error).__name__}",
                hint="see whether it is YAML with clusters, users and contexts: `kubectl config view`",
            ) from error
        except (config.ConfigException, OSError) as error:
            raise PartError(
                f"no cluster can be reached by this kubeconfig{self._which()}: {self._before(error)}",
                hint="check the path and the context with `kubectl config get-contexts`",
            ) from error
        return found

    def _demand_file(self) -> None:
        """The client takes a missing file for an empty one and says that a key is missing."""
        # Of a home that nobody has, `Path.expanduser` raises RuntimeError.
        if not any(Path(os.path.expanduser(one)).exists() for one in self.address.split(os.pathsep) if one):  # noqa: PTH111 - see above
            raise PartError(
                f"no cluster can be reached by the kubeconfig{self._which()}: the file is missing",
                hint="correct its path, which KUBECONFIG may hold; `kubectl config view` shows what is in it",
            )

    def _before(self, error: Exception) -> str:
        """What an error says before it shows the path, and what stands in the file."""
        return str(error).partition(self.address)[0].rstrip(" '\":")

    def _which(self) -> str:
        return f", context {self.context}" if self.context else ""
