"""A stand-in for the Kubernetes API: it keeps objects as a server does, and small controllers act on them.

It holds what a deployment tool can be harmed by: resource versions and conflicts, field managers of server-side apply,
watches that expire, status apart from spec, pods that appear late, crash, or run another image, disruption budgets,
and routes whose controller has not looked yet. It runs no containers and routes no traffic, and says in a header of
every answer that it is none. It runs without tminus.
"""

from .orders import Orders
from .server import Cluster

__all__ = ["Cluster", "Orders"]
