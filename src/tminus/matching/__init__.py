"""Which line of the built-in plan a team's own words mean; a wrong guess is worse than none."""

from tminus.matching.matcher import BAR, Matcher, assign
from tminus.matching.model import Known, Match, Words

__all__ = ["BAR", "Known", "Match", "Matcher", "Words", "assign"]
