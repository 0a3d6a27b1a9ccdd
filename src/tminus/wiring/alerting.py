"""The systems of alerting, each with the others that it is compared with."""

from collections.abc import Callable, Mapping

from tminus.alerting.crosscheck import PrometheusAlerts
from tminus.alerting.figures import Metrics
from tminus.alerting.inboxes import Inbox, Mailbox, PagerDuty, Slack
from tminus.domain.plan import Plan
from tminus.probes import alertmanager, prometheus, redis

_INBOXES: Mapping[str, Callable[[str], Inbox]] = {"pagerduty": PagerDuty, "slack": Slack, "mail": Mailbox}


def makers(
    plan: Plan, addresses: Mapping[str, str], now: Callable[[], float]
) -> dict[str, Callable[[str], object]]:
    """By kind: how a system is made from its address.

    `addresses` are those of the plan's systems by name, as far as they are known.
    """
    inboxes = {
        name: _INBOXES[kind](addresses[name])
        for name, kind in _kinds(plan).items()
        if kind in _INBOXES and addresses.get(name)
    }
    judge = _prometheus(plan, addresses)
    second = PrometheusAlerts(judge) if judge else None
    return {
        **_INBOXES,
        "prometheus": prometheus.System,
        "alertmanager": lambda address: alertmanager.System(address, now, inboxes, second),
        "redis": redis.System,
    }


def metrics(plan: Plan, addresses: Mapping[str, str]) -> Metrics | None:
    """The service's own metrics, as the plan's Prometheus has them; nothing without one."""
    judge = _prometheus(plan, addresses)
    return Metrics(judge) if judge else None


def _prometheus(plan: Plan, addresses: Mapping[str, str]) -> str:
    known = (addresses.get(name, "") for name, kind in _kinds(plan).items() if kind == "prometheus")
    return next((address for address in known if address), "")


def _kinds(plan: Plan) -> dict[str, str]:
    return {name: str(entry["kind"]) for name, entry in plan.systems.items()}
