"""The Kubernetes target: blue and green as Deployments, their Services, and a route that divides the traffic.

What is written is applied by the server under our own field manager and read back; what another manager holds is told
with that manager's name and never taken silently. What runs is read from the pods.
"""

from .components import Component, KubernetesComponents
from .jobs import Jobs, KubernetesCommands, KubernetesDatabase, KubernetesSmoke
from .manifests import manifests, role
from .service import Service
from .target import KubernetesTarget

__all__ = [
    "Component",
    "Jobs",
    "KubernetesCommands",
    "KubernetesComponents",
    "KubernetesDatabase",
    "KubernetesSmoke",
    "KubernetesTarget",
    "Service",
    "manifests",
    "role",
]
