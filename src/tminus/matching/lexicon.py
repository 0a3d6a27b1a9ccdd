"""From a checklist's words to concepts: the vocabulary made fast, and the text made plain."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tminus.matching.vocabulary import COMPOUNDS, CONCEPTS

LONGEST_PHRASE = 6
SHORTEST_BEGINNING = 4
_TOKEN = re.compile(r"[^\W_]+%?")
_FIGURE = re.compile(r"\d+(?:%|[a-z]{1,3})?")
_VERSION = re.compile(r"v\d+[a-z0-9]*")
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
_DOUBLED = re.compile(r"([bdgmnpt])\1$")


def plain(text: str) -> str:
    """The text in lower case, without accents."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", _KEYCAP.sub(" ", text)).casefold()
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def tokens(text: str) -> list[str]:
    """The words and figures of a plain text."""
    return _TOKEN.findall(text)


def stem(word: str) -> str:
    """A word without its commonest English endings; rough, and the same for text and vocabulary."""
    if len(word) <= 3 or not word.isalpha():
        return word
    if word.endswith(("ies", "ied")):
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        word = word[:-1]
    if word.endswith("ed") and len(word) > 4:
        word = _DOUBLED.sub(r"\1", word[:-2])
    elif word.endswith("ing") and len(word) > 5:
        word = _DOUBLED.sub(r"\1", word[:-3])
    return word.removesuffix("e")


@dataclass(slots=True)
class Lexicon:
    """Every word and phrase of the vocabulary, with what it means."""

    _words: dict[str, str] = field(default_factory=dict)
    _stems: dict[str, str] = field(default_factory=dict)
    _beginnings: dict[str, str] = field(default_factory=dict)
    _phrases: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    _opening: dict[str, int] = field(default_factory=dict)
    """The first stem of phrases, and how many words the longest of them has."""
    _seen: dict[str, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def standard(cls) -> "Lexicon":
        """The lexicon of the product's own vocabulary."""
        lexicon = cls()
        for concept, words in CONCEPTS.items():
            for phrase in words.split(","):
                lexicon._learn(phrase.split(), (concept,))
        for phrase, concepts in COMPOUNDS.items():
            lexicon._learn(phrase.split(), tuple(concepts.split()))
        return lexicon

    def _learn(self, words: list[str], concepts: tuple[str, ...]) -> None:
        if len(words) == 1 and len(concepts) == 1:
            word = words[0]
            if word.endswith("*"):
                self._beginnings.setdefault(word[:-1], concepts[0])
            else:
                self._words.setdefault(word, concepts[0])
                self._stems.setdefault(stem(word), concepts[0])
            return
        stems = tuple(stem(word) for word in words)
        self._phrases.setdefault(stems, concepts)
        self._opening[stems[0]] = max(self._opening.get(stems[0], 0), len(stems))

    def concepts(self, words: Sequence[str]) -> tuple[list[str], list[str]]:
        """What the words mean, in their order, and the words that are strange."""
        known: list[str] = []
        strange: list[str] = []
        pairs = [self._seen.get(word) or self._look_up(word) for word in words]
        at = 0
        while at < len(pairs):
            found, length = self._phrase(pairs, at)
            if length:
                known += found
                at += length
                continue
            concept = pairs[at][1]
            if concept:
                known.append(concept)
            elif not _FIGURE.fullmatch(words[at]):
                strange.append(words[at])
            at += 1
        return known, strange

    def _phrase(self, pairs: list[tuple[str, str]], at: int) -> tuple[tuple[str, ...], int]:
        longest = self._opening.get(pairs[at][0], 0)
        for length in range(min(longest, len(pairs) - at), 0, -1):
            found = self._phrases.get(tuple(pair[0] for pair in pairs[at : at + length]))
            if found:
                return found, length
        return (), 0

    def _look_up(self, word: str) -> tuple[str, str]:
        """The stem of a word and its concept, if it has one."""
        root = stem(word)
        concept = self._words.get(word) or self._stems.get(root) or self._by_beginning(word)
        self._seen[word] = (root, concept)
        return root, concept

    def _by_beginning(self, word: str) -> str:
        if _VERSION.fullmatch(word):
            return "version"
        for length in range(len(word), SHORTEST_BEGINNING - 1, -1):
            concept = self._beginnings.get(word[:length])
            if concept:
                return concept
        return ""


def repeated(vocabulary: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Words that stand under several concepts, which leaves their meaning to chance."""
    places: dict[str, list[str]] = {}
    for concept, words in vocabulary:
        for word in {part.strip() for part in words.split(",")}:
            places.setdefault(word, []).append(concept)
    return {word: found for word, found in places.items() if len(found) > 1}
