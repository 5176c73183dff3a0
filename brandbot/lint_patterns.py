"""How figures are written in English and Spanish: the patterns behind ``lint_figures``.

Each pattern has a function that says what a match is: its kind, its unit, and the numbers its ends
may mean; or None if it is no figure after all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal

from brandbot.grounding import digits

Kind = Literal["price", "hours", "date", "percentage", "duration", "phone", "email", "url"]
Bound = Literal["", "most", "least"]
Edge = frozenset[float] | frozenset[str]

# --- Limits ---------------------------------------------------------------------------------------

_MOST_BEFORE = re.compile(
    r"(?:\b(?:up to|at most|no more than|max(?:imum)?(?: of)?|within|under|below|less than|until"
    r"|till|by|before|limit(?: is| of|:)?|hasta|(?:como )?máxim[oa]s?(?: remunerado)?(?: de|:)?"
    r"|como mucho|menos de|tope de|antes de|límites?(?: de)?)|\bdentro de) (?:las? |los |el )?$",
    re.IGNORECASE,
)
_MOST_AFTER = re.compile(
    r" ?(?:or less|at (?:the )?most|max(?:imum)?\b|como (?:máximo|mucho)|o menos)", re.IGNORECASE
)
_LEAST_BEFORE = re.compile(
    r"\b(?:from|at least|no less than|min(?:imum)?(?: of)?|more than|over|above|start(?:s|ing)? at"
    r"|after|desde(?: hace)?(?: al menos)?|a partir de|al menos|(?:como )?mínim[oa]s?(?: de|:)?"
    r"|más de|después de) (?:las? |los |el )?$",
    re.IGNORECASE,
)
_LEAST_AFTER = re.compile(
    r" ?(?:or (?:more|over)|and (?:over|up|more)|upwards|minimum|ahead|o más|en adelante"
    r"|como mínimo)",
    re.IGNORECASE,
)
# "We open at 9" says the end of a time, even where 9 lies within it.
_OPENS = re.compile(
    r"\b(?:opens?|starts?|begins?|abr\w+|empieza\w*)\W+(?:\w+\W+){0,2}?(?:at|a las?)? ?$",
    re.IGNORECASE,
)
_SHUTS = re.compile(
    r"\b(?:clos(?:es?|ing)|shuts?|ends?|finish(?:es)?|cerr\w+|cierr\w+|termina\w*)\W+"
    r"(?:\w+\W+){0,2}?(?:at|a las?)? ?$",
    re.IGNORECASE,
)


def bound(text: str, start: int, end: int) -> Bound:
    """Whether everything up to what stands from ``start`` to ``end`` is meant, or from it on."""
    before, after = text[max(0, start - 32) : start], text[end : end + 16]
    if _MOST_BEFORE.search(before) or _MOST_AFTER.match(after) or _SHUTS.search(before):
        return "most"
    if _LEAST_BEFORE.search(before) or _LEAST_AFTER.match(after) or _OPENS.search(before):
        return "least"
    return ""


# --- The patterns ---------------------------------------------------------------------------------

_NUMBERS = {
    word: number
    for words in (
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen twenty",
        "uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince "
        "dieciséis diecisiete dieciocho diecinueve veinte",
    )
    for number, word in enumerate(words.split(), 1)
} | {
    "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90,
    "hundred": 100, "treinta": 30, "cuarenta": 40, "cincuenta": 50, "sesenta": 60, "noventa": 90,
    "cien": 100,
}  # fmt: skip
_WORD = "|".join(sorted(_NUMBERS, key=len, reverse=True))
_FIGURE = r"\d+(?:[.,]\d+)*"
_N = rf"(?:{_FIGURE}|\b(?:{_WORD})\b)"
_BEGIN = r"(?<![\w.,:/])"
_TO = r" ?(?:-|–|—|\bto\b|\ba\b|\bhasta\b|\bal\b) ?"
_OR = r" ?(?:-|–|—|\b(?:to|and|or|a|y|o|hasta)\b) ?"  # where two make a range, too

_COINS = {
    "€": "€", "euro": "€", "euros": "€", "eur": "€", "£": "£", "pound": "£", "pounds": "£",
    "gbp": "£", "quid": "£", "$": "$", "dollar": "$", "dollars": "$", "usd": "$", "dólares": "$",
    "dólar": "$", "peso": "peso", "pesos": "peso",
}  # fmt: skip
_COIN_WORDS = "|".join(sorted((w for w in _COINS if w.isalpha()), key=len, reverse=True))
_COIN = rf"(?:[€£$]|(?:{_COIN_WORDS})\b(?! of))"
_OFF = r"(?P<off> ?(?:off|back|discount|de descuento|menos)\b)?"
_PERCENT = r"(?:%|per ?cent\b|por ?ciento\b)"
_UNITS = {
    "second": ("minutes", 1 / 60), "segundo": ("minutes", 1 / 60), "minute": ("minutes", 1),
    "minuto": ("minutes", 1), "min": ("minutes", 1), "hour": ("minutes", 60),
    "hora": ("minutes", 60), "day": ("minutes", 1440), "día": ("minutes", 1440),
    "dia": ("minutes", 1440), "night": ("minutes", 1440), "noche": ("minutes", 1440),
    "week": ("minutes", 10080), "semana": ("minutes", 10080), "month": ("months", 1),
    "mes": ("months", 1), "year": ("months", 12), "año": ("months", 12),
}  # fmt: skip
_UNIT = rf"(?:{'|'.join(sorted(_UNITS, key=len, reverse=True))})(?:s|es)?\b"
_MONTHS = {
    name: number
    for names in (
        "January|February|March|April|May|June|July|August|September|October|November|December",
        "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept|Oct|Nov|Dec",
        "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|octubre|noviembre|diciembre",
    )
    for number, name in enumerate(names.split("|"), 1)
} | {"Sep": 9, "setiembre": 9}
# May and March are words of their own in small letters; so are the Spanish months' beginnings.
_MONTH = rf"(?:{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b"
_CLOCK = r"(\d{1,2}|\b(?:" + _WORD + r")\b)(?:[:.h]([0-5]\d))?"
_HALF = r"(?: ?(a\.?m\b\.?|p\.?m\b\.?|o'clock\b|h(?:oras|rs)?\b|noon\b))"
_NOON = r"\b(noon|midday|mediodía|midnight|medianoche)\b"
_DAYTIME = (
    r"(?:mon|tue|wed|thu|fri|sat|sun|weekday|weekend|lunes|martes|miérc|jueves|viernes|sábado"
    r"|domingo)"
)
_AFTERWARDS = (
    r"(?! y (?:media|cuarto)\b)(?=\s*(?:[.,;:!?)\"'»”]|[–—]|$|on\b|and\b|or\b|every\b|in the\b"
    rf"|sharp\b|but\b|except\b|todos\b|de la\b|del\b|de {_DAYTIME}|y\b|o\b|los\b|en\b|pero\b"
    rf"|cada\b|{_DAYTIME}))"
)

Made = tuple[Kind, str, tuple[Edge, ...]] | None


def _number(text: str) -> float:
    return float(_NUMBERS.get(text.casefold()) or digits(text))


def _edges(*numbers: float) -> tuple[Edge, ...]:
    return tuple(frozenset([round(float(number), 4)]) for number in numbers)


def _price(match: re.Match[str]) -> Made:
    coin = next(g for g in (match["before"], match["after"]) if g)
    less = " off" if match["off"] else ""  # £5 off is no price of £5
    return "price", _COINS[coin.casefold()] + less, _edges(*_both(match))


def _both(match: re.Match[str]) -> Iterator[float]:
    if match["from"]:
        yield _number(match["from"])
    yield _number(match["n"])


def _cents(match: re.Match[str]) -> Made:
    coin = {"p": "£", "pence": "£"}.get(match["coin"].casefold(), "€")
    return "price", coin, _edges(_number(match["n"]) / 100)


def _percentage(match: re.Match[str]) -> Made:
    return "percentage", "%", _edges(*_both(match))


def _duration(match: re.Match[str]) -> Made:
    word = match["unit"].casefold()
    name = next(n for n in (word, word.removesuffix("s"), word.removesuffix("es")) if n in _UNITS)
    unit, factor = _UNITS[name]
    often = "every " if match["often"] else ""  # "every two weeks" is no length of time
    return "duration", often + unit, _edges(*(n * factor for n in _both(match)))


def _minutes(hour: str, minute: str | None, half: str | None) -> frozenset[float] | None:
    """Minutes of the day; both halves of it where nothing tells which."""
    number = _number(hour)
    if number >= 24 or (minute is None and not number.is_integer()):
        return None
    passed = number % 24 * 60 + float(minute or 0)
    sign = (half or "").casefold().replace(".", "")
    if sign in ("am", "pm"):
        return frozenset([passed % 720 + (720 if sign == "pm" else 0)])
    if number > 12 or sign == "noon" or hour.startswith("0"):
        return frozenset([passed])
    return frozenset([passed % 720, passed % 720 + 720])


def _time(match: re.Match[str]) -> Made:
    edge = _minutes(match[1], match[2], match[3] if match.re.groups > 2 else None)
    return None if edge is None else ("hours", "clock", (edge,))


def _time_range(match: re.Match[str]) -> Made:
    first = _minutes(match[1], match[2], match[3])
    last = _minutes(match[4], match[5], match[6])
    return None if first is None or last is None else ("hours", "clock", (first, last))


def _noon(match: re.Match[str]) -> Made:
    middle = match[1].casefold() in ("noon", "midday", "mediodía")
    return "hours", "clock", _edges(720 if middle else 0)


def _date(match: re.Match[str]) -> Made:
    """A day of any year as month and day, since a document rarely says which year it means."""
    groups = match.groupdict()
    month = groups["month"]
    number = _MONTHS.get(month) or _MONTHS.get(month.casefold()) or int(month)
    days = [int(d) for d in (groups.get("first"), groups["day"]) if d]
    if number > 12 or any(not 1 <= day <= 31 for day in days):
        return None
    return "date", "day", _edges(*(number * 100 + day for day in days))


def _phone(match: re.Match[str]) -> Made:
    number = re.sub(r"\D", "", match[0])
    return ("phone", "", (frozenset([number]),)) if 9 <= len(number) <= 15 else None


def _email(match: re.Match[str]) -> Made:
    return "email", "", (frozenset([match[0].casefold()]),)


def _url(match: re.Match[str]) -> Made:
    address = re.sub(r"^(?:https?://)?(?:www\.)?", "", match[0].casefold())
    return "url", "", (frozenset([address.rstrip("/.,;:!?")]),)


READERS: list[tuple[re.Pattern[str], Callable[[re.Match[str]], Made]]] = [
    (re.compile(pattern, re.IGNORECASE if small else 0), make)
    for pattern, make, small in (
        (r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b", _email, True),
        (r"\b(?:https?://|www\.)[^\s)»”\"]+", _url, True),
        (
            r"(?<![@\w.-])[a-z0-9-]{2,}(?:\.[a-z0-9-]{2,})*\.(?:com|org|net|es|eu|io|shop|co\.uk"
            r"|info|example)\b(?:/[^\s)»”\"]*)?",
            _url,
            True,
        ),
        (r"(?<![\w/.-])(?:19|20)\d\d-(?P<month>\d\d)-(?P<day>\d\d)(?![\w/-])", _date, True),
        (
            r"(?<![\w/.-])(?P<day>\d{1,2})[/.-](?P<month>\d{1,2})[/.-](?:19|20)\d\d(?![\w/-])",
            _date,
            True,
        ),
        (
            r"(?<![\w/.,])(?:(?P<first>\d{1,2})(?:st|nd|rd|th)? ?(?:-|–|to|and|al|a|y) ?)?"
            rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?: of| de)? (?P<month>{_MONTH})",
            _date,
            False,
        ),
        (rf"\b(?P<month>{_MONTH}) (?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?![\w:])", _date, False),
        (
            rf"{_BEGIN}(?P<before>[€£$]) ?(?:(?P<from>{_FIGURE}){_TO}[€£$]? ?)?"
            rf"(?P<n>{_FIGURE})(?P<after>\b(?!k\b)|$){_OFF}",
            _price,
            True,
        ),
        (
            rf"{_BEGIN}(?P<before>)(?:(?P<from>{_N})(?: ?[€£$])?{_TO})?(?P<n>{_N}) ?"
            rf"(?P<after>{_COIN}){_OFF}",
            _price,
            True,
        ),
        (rf"{_BEGIN}(?P<n>{_N}) ?(?P<coin>p|pence|cents?|céntimos?)\b", _cents, True),
        (rf"{_BEGIN}(?:(?P<from>{_N})(?: ?%)?{_TO})?(?P<n>{_N}) ?{_PERCENT}", _percentage, True),
        (rf"{_BEGIN}{_CLOCK}{_HALF}?{_OR}(?:las? )?{_CLOCK}{_HALF}", _time_range, True),
        (
            rf"{_BEGIN}(\d{{1,2}}):([0-5]\d){_HALF}?{_OR}(?:las? )?(\d{{1,2}}):([0-5]\d){_HALF}?",
            _time_range,
            True,
        ),
        (
            r"(?<=\b(?:from|open) )(\d{1,2})(?:[:.]([0-5]\d))?()(?: to |-|–| till | until )"
            rf"(\d{{1,2}})(?:[:.]([0-5]\d))?(){_AFTERWARDS}",
            _time_range,
            True,
        ),
        (
            rf"(?<=\bde )(\d{{1,2}})(?:[:.]([0-5]\d))?() a (\d{{1,2}})(?:[:.]([0-5]\d))?()"
            rf"{_AFTERWARDS}",
            _time_range,
            True,
        ),
        (rf"{_BEGIN}(\d{{1,2}})[:.]([0-5]\d) ?(a\.?m\b\.?|p\.?m\b\.?|h\b)", _time, True),
        (rf"{_BEGIN}(\d{{1,2}})()? ?(a\.?m\b\.?|p\.?m\b\.?|o'clock\b)", _time, True),
        (rf"(?<=\blas ){_CLOCK}(?:{_HALF}|{_AFTERWARDS})", _time, True),
        (rf"(?<=\b(?:at|by) ){_CLOCK}{_AFTERWARDS}", _time, True),
        (rf"(?<=\buntil ){_CLOCK}{_AFTERWARDS}", _time, True),
        (rf"(?<=\btill ){_CLOCK}{_AFTERWARDS}", _time, True),
        (r"(?<![\w:.,])(0\d|1\d|2[0-4]|[2-9]):([0-5]\d)(?![\d:])", _time, True),
        (_NOON, _noon, True),
        (
            rf"(?P<often>\b(?:every|cada) )?{_BEGIN}(?:(?P<from>{_N}){_OR})?(?P<n>{_N})"
            rf"(?:-| )(?:(?:working|business|calendar|full|more|whole|different)[ -])?"
            rf"(?P<unit>{_UNIT})(?! (?:old|ago|later)\b)",
            _duration,
            True,
        ),
        (r"(?<![\w.,/-])\+?\d(?:[ ().-]{0,2}\d){8,14}(?![\w-])", _phone, True),
    )
]
