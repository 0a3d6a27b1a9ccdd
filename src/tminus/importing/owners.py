"""Who should answer for a line that no known line means: a suggestion from its words, for a person to change."""

import re
from collections import Counter
from collections.abc import Sequence

LEAD = "lead"

_WORDS = {
    "security": "security secur secret vault tls ssl certificat vulnerab pentest penetration firewall waf gdpr rgpd "
    "dsgvo compliance audit encrypt password permission access injection xss csrf",
    "qa": "test qa smoke e2e regression uat acceptance quality bug browser validat recette prueba prüf",
    "backend": "database migration schema sql api backend endpoint code query index cache redis postgres datenbank "
    "base données datos banco",
    "devops": "deploy kubernetes docker container infra server monitor dashboard alert log backup dns cdn pipeline "
    "ci scaling load balancer cluster environment env configuration restart rollback déploie sauvegarde",
    "lead": "notify notif stakeholder team meeting announce communicat customer marketing support document brief "
    "contact user plan schedul review approv training équipe kunden",
}
_GROUPS = (f"(?P<{role}>{'|'.join(map(re.escape, words.split()))})" for role, words in _WORDS.items())
_PATTERN = re.compile(rf"\b(?:{'|'.join(_GROUPS)})")


def suggested(text: str, section: Sequence[str]) -> str:
    """The role whose words the line uses most; the section decides where the line says nothing, then the lead."""
    return _most(text) or _most(section[-1] if section else "") or _most(" ".join(section)) or LEAD


def _most(text: str) -> str:
    """The role with most words; of equals the one that stands first above."""
    counts = Counter(match.lastgroup for match in _PATTERN.finditer(text.lower()))
    return max(_WORDS, key=lambda role: counts[role]) if counts else ""
