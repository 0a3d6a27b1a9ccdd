"""A Kubernetes cluster as it is reached, and what its objects say: shared by the target and by probes.

Calls go through `Api`. Everything else here is arithmetic over objects as the API gives them or as files hold them.
What a plan's lines look at stands in the probes of the same name; what a launch changes, in the target.
"""

from .access import IN_CLUSTER, Access
from .api import MANAGER, Api, ChangedError, HeldError, Object

__all__ = ["IN_CLUSTER", "MANAGER", "Access", "Api", "ChangedError", "HeldError", "Object"]
