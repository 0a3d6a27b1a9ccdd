"""The systems of alerting and of logs, each with the others that it is compared with."""

from collections.abc import Callable, Mapping

from tminus.alerting.crosscheck import PrometheusAlerts
from tminus.alerting.figures import Metrics
from tminus.alerting.inboxes import Inbox, Mailbox, PagerDuty, Slack
from tminus.alerting.texting import Twilio
from tminus.domain.plan import Plan
from tminus.errors import TminusError
from tminus.probes import alertmanager, logs, pagerduty, prometheus, redis

_INBOXES: Mapping[str, Callable[[str], Inbox]] = {"pagerduty": PagerDuty, "slack": Slack, "mail": Mailbox}


def makers(
    plan: Plan,
    addresses: Mapping[str, str],
    now: Callable[[], float],
    unknown: Mapping[str, TminusError] | None = None,
) -> dict[str, Callable[[str], object]]:
    """By kind: how a system is made from its address.

    `addresses` are those of the plan's systems by name, as far as they are known; `unknown` says why others are not.
    """
    inboxes = {
        name: _INBOXES[kind](addresses[name])
        for name, kind in _kinds(plan).items()
        if kind in _INBOXES and addresses.get(name)
    }
    providers = {
        name: Twilio(addresses[name])
        for name, kind in _kinds(plan).items()
        if kind == "twilio" and addresses.get(name)
    }
    judge, site = _first(plan, addresses, "prometheus"), _first(plan, addresses, "website")
    second = PrometheusAlerts(judge) if judge else None
    no_judge, no_site = (_unheard(plan, unknown or {}, kind) for kind in ("prometheus", "website"))
    return {
        **_INBOXES,
        "prometheus": prometheus.System,
        "alertmanager": lambda address: alertmanager.System(address, now, inboxes, second, no_judge),
        "pagerduty": lambda address: pagerduty.System(address, now, providers),
        "twilio": Twilio,
        "logs": lambda address: logs.System(address, now, site, unheard=no_site),
        "redis": redis.System,
    }


def metrics(plan: Plan, addresses: Mapping[str, str]) -> Metrics | None:
    """The service's own metrics, as the plan's Prometheus has them; nothing without one."""
    judge = _first(plan, addresses, "prometheus")
    return Metrics(judge) if judge else None


def _first(plan: Plan, addresses: Mapping[str, str], kind: str) -> str:
    """The address of the plan's first system of a kind; empty where it has none."""
    known = (addresses.get(name, "") for name, known in _kinds(plan).items() if known == kind)
    return next((address for address in known if address), "")


def _unheard(plan: Plan, unknown: Mapping[str, TminusError], kind: str) -> TminusError | None:
    """Why the plan's first system of a kind cannot be asked; nothing where it can, or there is none."""
    name = next((name for name, known in _kinds(plan).items() if known == kind and name in unknown), "")
    if not name:
        return None
    why = unknown[name]
    return type(why)(
        f"the system {name!r} of kind {kind}, which is needed too, is unknown: {why}", hint=why.hint
    )


def _kinds(plan: Plan) -> dict[str, str]:
    return {name: str(entry["kind"]) for name, entry in plan.systems.items()}
