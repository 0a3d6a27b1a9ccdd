"""Finds the line of a plan that a checklist's line means, or none.

The caller hands over texts as the checklist's reader gives them (repaired, without markup) and resolves, with
`assign`, lines that mean the same. Nothing here knows files or plans.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

from tminus.matching.context import Context, context_of
from tminus.matching.lexicon import Lexicon, plain, tokens
from tminus.matching.lines import SAYINGS
from tminus.matching.model import Known, Match, Words
from tminus.matching.reading import Bound, Line, taken_apart
from tminus.matching.rules import Rule
from tminus.matching.vocabulary import ROLES

BAR = 0.70
"""Below it a line is left to a person."""
MARGIN = 0.05
"""A best guess must be this much better than the second; otherwise there is none."""
SAME = 1.0
SAME_APART_FROM_ASIDES = 0.97
NO_HEADING = 0.2
"""What the same words lose where they need a heading and there is none."""
LIKENESS = 90
MISSPELT = 0.9
_SHORT = 5


@dataclass(frozen=True, slots=True)
class _Text:
    id: str
    section: frozenset[str]
    words: tuple[str, ...]
    words_aside: tuple[str, ...]
    bounds: tuple[Bound, ...]


class Matcher:
    """Knows the lines of one plan, and says which of them others mean."""

    def __init__(self, known: Iterable[Known]) -> None:
        self._lexicon = Lexicon.standard()
        self._rules: dict[str, Rule] = {}
        self._by_concept: dict[str, list[Rule]] = {}
        self._texts: list[_Text] = []
        self._by_word: dict[str, list[_Text]] = {}
        self._by_words: dict[tuple[str, ...], list[_Text]] = {}
        self._lines: dict[str, Line | None] = {}
        """By text: the line taken apart, since a line that means nothing here is looked at once more."""
        self._contexts: dict[tuple[str, ...], Context] = {}
        self._homes: dict[str, Context] = {}
        """By known line: the headings that it stands under in its own plan."""
        for one in known:
            self._learn(one)

    def _learn(self, known: Known) -> None:
        if known.id in SAYINGS:
            rule = self._rules[known.id] = Rule(known.id, SAYINGS[known.id])
            for anchor in set(rule.anchors()):
                self._by_concept.setdefault(anchor, []).append(rule)
        home = self._homes[known.id] = context_of((known.section,), self._lexicon)
        line = taken_apart(known.text, self._lexicon)
        if line is None:
            return
        text = _Text(known.id, home.tags, line.words, line.words_aside, tuple(line.bounds))
        self._texts.append(text)
        self._by_words.setdefault(text.words, []).append(text)
        for word in {word for word in text.words if len(word) >= _SHORT}:
            self._by_word.setdefault(word, []).append(text)

    def match(self, lines: Sequence[Words]) -> list[Match | None]:
        """For each line the one that it means; several may mean the same."""
        seen: dict[Words, Match | None] = {}
        for line in lines:
            if line not in seen:
                seen[line] = self._match(line)
        return [seen[line] for line in lines]

    def kept_apart(self, lines: Sequence[Words]) -> list[str]:
        """For each line the known one that its words would mean under that one's own headings; empty for none."""
        return [self._kept_apart(line.text) for line in lines]

    def _kept_apart(self, text: str) -> str:
        line = self._line(text)
        if line is None:
            return ""
        found = {
            rule.id: confidence
            for rule in self._candidates(line)
            if (confidence := rule.confidence(line, self._homes[rule.id])) >= BAR - MARGIN
        }
        best = _best(found)
        return best.id if best else ""

    def _match(self, words: Words) -> Match | None:
        context = self._context(words.section)
        line = self._line(self._signer(words.text, context) or words.text)
        if line is None:
            return None
        found = self._same(line, context)
        self._add_by_rule(found, line, context)
        if not found:
            self._add_misspelt(found, line, context)
        return _best(found)

    def _line(self, text: str) -> Line | None:
        if text not in self._lines:
            self._lines[text] = taken_apart(text, self._lexicon)
        return self._lines[text]

    def _signer(self, text: str, context: Context) -> str:
        """The role before a colon, among signatures; what it declares does not matter."""
        head, colon, _ = text.partition(":")
        if not colon or "approve" not in context.tags:
            return ""
        concepts, strange = self._lexicon.concepts(tokens(plain(head)))
        return head if len(concepts) == 1 and concepts[0] in ROLES and not strange else ""

    def _context(self, section: tuple[str, ...]) -> Context:
        known = self._contexts.get(section)
        if known is None:
            known = self._contexts[section] = context_of(section, self._lexicon)
        return known

    def _same(self, line: Line, context: Context) -> dict[str, float]:
        """Known lines in the same words, asides apart."""
        found: dict[str, float] = {}
        for text in self._by_words.get(line.words, ()):
            if tuple(line.bounds) != text.bounds or not self._fits(text.id, line, context):
                continue
            alike = SAME if line.words_aside == text.words_aside else SAME_APART_FROM_ASIDES
            found[text.id] = alike - self._unplaced(text.id, context)
        return found

    def _unplaced(self, known_id: str, context: Context) -> float:
        rule = self._rules.get(known_id)
        return NO_HEADING if rule is not None and rule.needs_place and not context.headed else 0.0

    def _fits(self, known_id: str, line: Line, context: Context) -> bool:
        rule = self._rules.get(known_id)
        return rule is None or rule.fits(line, context)

    def _add_by_rule(self, found: dict[str, float], line: Line, context: Context) -> None:
        for rule in self._candidates(line):
            confidence = rule.confidence(line, context)
            if confidence >= BAR - MARGIN:
                found[rule.id] = max(confidence, found.get(rule.id, 0.0))

    def _candidates(self, line: Line) -> Iterable[Rule]:
        """The rules of which the line has a concept, each once."""
        return {
            rule.id: rule for concept in set(line.concepts) for rule in self._by_concept.get(concept, ())
        }.values()

    def _add_misspelt(self, found: dict[str, float], line: Line, context: Context) -> None:
        """Known lines that differ by slips of the keyboard only."""
        if not line.strange:
            return
        near = {text.id: text for word in line.words for text in self._by_word.get(word, ())}
        for text in near.values():
            if len(text.words) != len(line.words) or tuple(line.bounds) != text.bounds:
                continue
            ratio = fuzz.ratio(" ".join(line.words), " ".join(text.words), score_cutoff=LIKENESS)
            if ratio and self._slips_only(line, text) and self._fits(text.id, line, context):
                found[text.id] = ratio / 100 * MISSPELT - self._unplaced(text.id, context)

    @staticmethod
    def _slips_only(line: Line, text: _Text) -> bool:
        return all(
            mine == theirs or (mine in line.strange and _slip(mine, theirs))
            for mine, theirs in zip(line.words, text.words, strict=True)
        )


def _slip(mine: str, theirs: str) -> bool:
    """Whether a word is another one misspelt; a prefix such as `un` is no slip."""
    return (
        len(theirs) >= _SHORT
        and mine[0] == theirs[0]
        and not mine.endswith(theirs)
        and Levenshtein.distance(mine, theirs, score_cutoff=2) <= 2
    )


def _best(found: dict[str, float]) -> Match | None:
    ranked = sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))
    if not ranked or ranked[0][1] < BAR:
        return None
    if len(ranked) > 1 and ranked[0][1] - ranked[1][1] < MARGIN:
        return None
    return Match(ranked[0][0], round(ranked[0][1], 2))


def assign(matches: Sequence[Match | None]) -> list[Match | None]:
    """Each known line given once: to the surest line that means it, the first of equals; the others get none.

    A plan's line is observed once. A second line with the same meaning is likelier another thing said in the same
    words (a step of a canary, a second system), so it is left to a person and never doubled.
    """
    surest: dict[str, int] = {}
    for index, match in enumerate(matches):
        if match is None:
            continue
        holder = matches[surest[match.id]] if match.id in surest else None
        if holder is None or match.confidence > holder.confidence:
            surest[match.id] = index
    return [match if match and surest[match.id] == index else None for index, match in enumerate(matches)]
