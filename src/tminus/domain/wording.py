"""What a panel's query says: which metrics it names, and which of its matchers tell what happened.

A metric's name says what is measured. A label's value mostly says where: `{app="queue-api"}` is no queue. The matchers
that count are those of how something ended (`status="500"`), and, for rare events, those of what was done
(`route="/login"`). Texts in other languages than PromQL count as they are.
"""

import re
from dataclasses import dataclass

from tminus.domain.dashboard import Query

ENDED = re.compile(
    r"(?:\w*_)?(?:status|status_code|status_class|(?:response|return|result|error|grpc|http)_?code|code|outcome|result"
    r"|exception|error|error_type|success|response_flags)"
)
"""Labels of how something ended: on a good day no series has the value of a bad end."""

_PLACED = {"country_code", "postal_code", "zip_code"}
"""Labels that are called alike, and say where."""
_DOING = re.compile(
    r"route|path|uri|url|handler|endpoint|method|event|event_type|action|operation|type|reason"
)
_STRING = r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`"
_SELECTOR = re.compile(rf"([A-Za-z_:][\w:]*)\s*\{{((?:{_STRING}|[^{{}}\"'`]|\$\{{[^}}]*\}})*)\}}")
"""A metric with its matchers. Braces without a name, as of LogQL, are none: there they say what is looked for."""
_MATCHER = re.compile(rf"(\w+)\s*(=~|!~|!=|=)\s*({_STRING})")
_LABELS = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)", re.IGNORECASE)
_PLATFORM = (
    r"node|windows|kubelet|kubeproxy|kube|apiserver|rest_client|workqueue|coredns|etcd|machine|prometheus|promhttp"
    r"|alertmanager|scrape"
)
"""How the metrics of machines and of what runs them begin."""
_RUNTIME = r"process|go|python_gc|container|cadvisor"
"""How those of a process begin: they say how full a service is, and nothing of its requests."""
_OTHERS = {
    signal: re.compile(rf"(?<![\w:])(?:{names})_[\w:]*")
    for signal, names in (("saturation", _PLATFORM), ("", f"{_PLATFORM}|{_RUNTIME}"))
}
_GRAMMAR = re.compile(
    rf"\$?\{{?__\w+\}}?|{_STRING}|\[[^\]]*\]|[A-Za-z_]\w*\s*(?=\()"
    r"|\b(?:by|without|on|ignoring|group_left|group_right|offset|bool|and|or|unless|nan|inf)\b|[\d.]+\w*",
    re.IGNORECASE,
)
"""What names no metric: functions, words of the language, ranges, numbers."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What a query says."""

    metrics: str
    """Its text without the matchers of metrics and without lists of labels."""
    ended: str = ""
    """Its matchers of how something ended."""
    doing: str = ""
    """What was done, by its matchers that take it."""

    def measuring(self, signal: str) -> str:
        """Its text without metrics that are no service's own; empty where it names no other."""
        left = _OTHERS.get(signal, _OTHERS[""]).sub(" ", self.metrics)
        return left if left == self.metrics or re.search(r"[A-Za-z]", _GRAMMAR.sub(" ", left)) else ""


def ended(label: str) -> bool:
    """Whether a label says how something ended."""
    return ENDED.fullmatch(label.lower()) is not None and label.lower() not in _PLACED


def worded(query: Query) -> Wording:
    """What a query says of itself."""
    if not query.expression:
        return Wording(query.text, query.text)
    outcomes: list[str] = []
    doing: list[str] = []

    def bare(found: re.Match[str]) -> str:
        kept = ""
        for label, operator, value in _MATCHER.findall(found[2]):
            if ended(label):
                outcomes.append(f"{label}{operator}{value}")
            elif operator in {"=", "=~"} and _DOING.fullmatch(label.lower()):
                doing.append(value)
            elif label == "quantile":
                kept = "_quantile"
        return f"{found[1]}{kept} "

    text = _LABELS.sub(" ", _SELECTOR.sub(bare, query.text))
    # What LogQL asks for stands in braces without a name, and in its pipeline. PromQL's other texts are labels.
    text = text if "{" in text.replace("${", "") else re.sub(_STRING, " ", text)
    return Wording(text, " ".join([*outcomes, text]), " ".join(doing))
