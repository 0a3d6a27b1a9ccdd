"""Numbers with units as checklists write them, in English, French, German, Spanish and Portuguese."""

import re

from tminus.checklist.model import Measure

NUMBER = r"(?>\d{1,3}(?:[,\u00a0\u202f'\u2019]\d{3})+(?!\d)(?:\.\d+)?|\d{1,3}(?:\.\d{3}){2,}(?!\d)|\d+(?:[.,]\d+)?)"
_TIMES = {
    "us µs \u03bcs": 1e-6,
    "ms msec msecs millisecond milliseconds milliseconde millisecondes millisekunde millisekunden milisegundo"
    " milisegundos millis": 1e-3,
    "s sec secs seconde secondes second seconds sekunde sekunden sek segundo segundos seg": 1,
    "m min mins minute minutes minuten minuto minutos": 60,
    "h hr hrs hour hours heure heures stunde stunden std hora horas": 3600,
    "d day days jour jours tag tage tagen día días dia dias": 86400,
    "w week weeks wk semaine semaines woche wochen semana semanas": 604800,
}
_SHARES = "% percent pourcent prozent porcento pct"
_RATES = {
    "req/s reqs/s rps tps qps requests/s requests/sec requests/second requêtes/s anfragen/s solicitudes/s"
    " peticiones/s requisições/s tx/s ops/s /s /sec /second": 1,
    "req/min rpm requests/min requests/minute /min /minute": 1 / 60,
}
TIMES = {word: float(factor) for words, factor in _TIMES.items() for word in words.split()}
UNITS = (
    {word: (Measure.SECONDS, factor) for word, factor in TIMES.items()}
    | dict.fromkeys(_SHARES.split(), (Measure.SHARE, 0.01))
    | {word: (Measure.RATE, factor) for words, factor in _RATES.items() for word in words.split()}
)
_PHRASES = {
    r"requests? per second": "/s",
    r"transactions? per second": "/s",
    r"per second": "/s",
    r"requests? per minute": "/min",
    r"per minute": "/min",
    r"per ?cent": "%",
    r"pour cent": "%",
    r"por ciento": "%",
    r"por cento": "%",
}
_ELSE = (
    r"[KMGT]i?B|bytes?|octets?|bits?|[KMG]bps|[x\u00d7\u20ac$\u00a3\u00b0]|USD|EUR|GBP|months?|mois"
    r"|monate?n?|mes|meses"
    r"|mês|years?|ans?|jahre?n?|años?|anos?"
)
"""Units that no measure stands for: a limit in them is nobody's."""


def _words(table: dict[str, float] | dict[str, tuple[Measure, float]]) -> str:
    return "|".join(re.escape(word) for word in sorted(table, key=len, reverse=True))


_END = r"(?![^\W_])"
TIME_UNIT = rf"(?:{_words(TIMES)}){_END}"
UNIT = (
    rf"(?:\s?-?\s?(?P<unit>{'|'.join(_PHRASES)}|%|(?:{_words(UNITS)}){_END})"
    rf"|(?![\w/\u00d7\u20ac$\u00a3\u00b0]|[.,:]\d)(?!\s?(?:{_ELSE}|/\s?\d){_END}))"
)
_PHRASE = re.compile(
    "|".join(f"(?P<p{index}>{phrase})" for index, phrase in enumerate(_PHRASES)), re.IGNORECASE
)
_GROUPED = re.compile(r"(?!0)\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?:\.\d{3}){2,}")


def number(text: str) -> float:
    """What a number is worth: `1,200` is 1200, `99,9` is 99.9."""
    if _GROUPED.fullmatch(text):
        separator = "." if text.count(".") > 1 else ","
        return float(text.replace(separator, ""))
    for separator in "\u00a0\u202f'\u2019":
        text = text.replace(separator, "")
    return float(text.replace(",", "."))


def measured(amount: str, unit: str | None) -> tuple[float, Measure] | None:
    """A number with its unit in SI units; nothing for a unit that could mean two things."""
    if not unit:
        return number(amount), Measure.COUNT
    if unit == "M":
        return None
    match = _PHRASE.fullmatch(unit)
    word = list(_PHRASES.values())[int((match.lastgroup or "p0")[1:])] if match else unit.lower()
    measure, factor = UNITS[word]
    return round(number(amount) * factor, 9), measure


def seconds(amount: str, unit: str) -> float:
    """A duration in seconds."""
    return round(number(amount) * TIMES[unit.lower()], 9)
