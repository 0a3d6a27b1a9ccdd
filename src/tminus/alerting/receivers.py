"""Alertmanager's receivers: what each tells, and what keeps one from being loaded at all.

Of an integration's own options only those are looked at without which it cannot tell anybody, and secrets that are
given twice. All others are Alertmanager's to judge: `amtool check-config` does.
"""

from collections.abc import Iterator, Mapping

from tminus.alerting.yamltree import Fault, FaultError, Fields, Scalar, as_fields, telling

_CONFIGS = "_configs"
_FILE = "_file"
_GLOBAL = "global."

_NEEDS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "discord": (("webhook_url",),),
    "email": (("to",), ("from", "global.smtp_from"), ("smarthost", "global.smtp_smarthost")),
    "incidentio": (("url",),),
    "jira": (("project",), ("issue_type",)),
    "mattermost": (("webhook_url", "global.mattermost_webhook_url"),),
    "msteams": (("webhook_url",),),
    "msteamsv2": (("webhook_url",),),
    "opsgenie": (("api_key", "global.opsgenie_api_key"),),
    "pagerduty": (("routing_key", "service_key"),),
    "pushover": (("user_key",), ("token",)),
    "rocketchat": (("token", "global.rocketchat_token"), ("token_id", "global.rocketchat_token_id")),
    "slack": (("api_url", "app_token", "global.slack_api_url", "global.slack_app_token"),),
    "sns": (("topic_arn", "phone_number", "target_arn"),),
    "telegram": (("bot_token", "global.telegram_bot_token"), ("chat_id",)),
    "victorops": (("api_key", "global.victorops_api_key"), ("routing_key",)),
    "webex": (("room_id",),),
    "webhook": (("url",),),
    "wechat": (("api_secret", "global.wechat_api_secret"), ("corp_id", "global.wechat_api_corp_id")),
}
"""By integration: fields of each of which one is needed, by itself or as a file; `global.` stands for that block."""


def read(config: Fields, faults: list[Fault]) -> dict[str, tuple[str, ...]]:
    """By receiver: what it tells, once for each entry, as `slack`; faults are told, and it goes on."""
    found: dict[str, tuple[str, ...]] = {}
    common = Fields(config.line)
    with telling(faults):
        common = config.mapped("global")
        faults += _twice(common, "global")
    nodes = []
    with telling(faults):
        nodes = config.listed("receivers")
    for node in nodes:
        with telling(faults):
            fields = as_fields(node, "a receiver")
            name = _name(fields, found)
            found[name] = ()
            found[name] = _integrations(fields, name, common, faults)
    return found


def _name(fields: Fields, known: Mapping[str, object]) -> str:
    name = fields.text("name")
    if not name:
        raise FaultError(fields.line, "a receiver has no name")
    if name in known:
        raise FaultError(fields.line_of("name"), f"there are two receivers {name}")
    return name


def _integrations(fields: Fields, name: str, common: Fields, faults: list[Fault]) -> tuple[str, ...]:
    found: list[str] = []
    for field, line in fields.lines.items():
        if field == "name":
            continue
        if not field.endswith(_CONFIGS):
            faults.append(Fault(line, f"{field} is no field of a receiver"))
            continue
        with telling(faults):
            kind = field.removesuffix(_CONFIGS)
            for node in fields.listed(field):
                found.append(kind)
                about = f"{field} of {name}"
                with telling(faults):
                    entry = as_fields(node, f"an entry of {about}")
                    faults += _twice(entry, about)
                    faults += _lacking(kind, entry, common, about)
    return tuple(found)


def _twice(fields: Fields, about: str) -> Iterator[Fault]:
    """Secrets that stand there both by themselves and as a file."""
    for name, line in fields.lines.items():
        if f"{name}{_FILE}" in fields.lines and _given(fields, name) and _given(fields, f"{name}{_FILE}"):
            yield Fault(line, f"{about} has both {name} and {name}{_FILE}")


def _lacking(kind: str, entry: Fields, common: Fields, about: str) -> Iterator[Fault]:
    for names in _NEEDS.get(kind, ()):
        places = [
            (common, one.removeprefix(_GLOBAL)) if one.startswith(_GLOBAL) else (entry, one) for one in names
        ]
        if not any(_given(where, one) or _given(where, f"{one}{_FILE}") for where, one in places):
            yield Fault(entry.line, f"an entry of {about} has no {' and no '.join(names)}")


def _given(fields: Fields, name: str) -> bool:
    found = fields.get(name)
    return found is not None and not (isinstance(found, Scalar) and not found.written)
