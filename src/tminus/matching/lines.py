"""Every line of the built-in plan that is known in other words, by its id."""

from tminus.matching.launch_lines import BACKUPS, COUNTDOWN, CRITERIA, ROLLBACK, SIGNATURES
from tminus.matching.readiness_lines import CONFIGURATION, MONITORING, NOTIFICATIONS, PEOPLE, TESTS
from tminus.matching.saying import Saying

SAYINGS: dict[str, Saying] = {
    **CONFIGURATION,
    **MONITORING,
    **TESTS,
    **PEOPLE,
    **NOTIFICATIONS,
    **ROLLBACK,
    **BACKUPS,
    **COUNTDOWN,
    **SIGNATURES,
    **CRITERIA,
}
