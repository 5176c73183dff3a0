"""Whether a reply says what it must, and only what it was given: numbers, names and links.

Pure functions over texts; they know no model, no persona and no search.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet

from brandbot.knowledge.words import fold
from brandbot.money import COIN

_WORDS = re.compile(r"[^\W_]+(?:['’.,][^\W_]+)*")
_LINK = re.compile(
    r"\b(?:https?://|www\.)[^\s)»”\"<>`\]'’…]+"
    r"|(?<![^\W_])[^\W_][\w.+-]*@[\w-]+\.[\w.]+",
    re.IGNORECASE,
)
NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_PARTED = re.compile(
    r"(?<![\d.,:-])(?:(?=(?:\d[ \u00a0\u202f-]?){5})\d+(?:[ \u00a0\u202f-]\d+)+"
    r"|\d{1,3}(?:[ \u00a0\u202f]\d{3})+(?!\d))(?:[.,]\d+)*(?!\d|:\d)"
)
"""Five digits or more with spaces or hyphens between, a telephone, or thousands."""

PHONE, LONGEST_PHONE = 9, 15
"""Digits of a telephone without its country's, which may be told or not; those of the longest."""
_WITH_A_DAY = re.compile(r"\d{4}-\d\d?-\d\d?|\d\d?-\d\d?-\d{4}")
_AREA = re.compile(r"\((\d{2,5})\)\s?(?=\d)")
_KEYCAP = re.compile(r"[0-9#*]\ufe0f?(?=\u20e3)")
_CENTS = re.compile(r"\s?(?:pence|cents?|cts?|c[eé]ntimos?|p)\b(?!\.\s?m)", re.IGNORECASE)
_SHORT_NAME = re.compile(r"\b[A-Z][a-zé]{2,3}\b")
_DAYS_AND_MONTHS = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    "january", "february", "march", "april", "june", "july", "august", "september", "october",
    "november", "december",
    "lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo",
    "enero", "febrero", "marzo", "abril", "junio", "julio", "agosto", "septiembre", "octubre",
    "noviembre", "diciembre",
)  # fmt: skip
"""Days and months that are written shorter, too."""

_DOTTED_DAY = re.compile(r"(?<![\d.,])(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})(?![\d.]\d)")
_HOURS = re.compile(r"(?<![\d.,:])(\d{1,2})h(\d\d)(?!\d)")
_PERHAPS_HOURS = re.compile(r"(?<![\d.,:])(\d{1,2}) ?h ?(\d\d)(?!\d)")

_SHARE = r"(?:%|por ciento\b|per ?cent\b)"
_ALSO = r"[*_]{0,3}(?:\s?(?:-|–|a|al|to|y|o|and|or|hasta|till|up to)\s?\d[\d.,]*){0,2}[*_]{0,3}\s?"
_KINDS = {
    "money": re.compile(rf"{_ALSO}{COIN}", re.IGNORECASE),
    "share": re.compile(rf"{_ALSO}{_SHARE}", re.IGNORECASE),
}
_COIN_BEFORE = re.compile(r"(?:[£$€]|\b(?:EUR|GBP|USD))\s?[*_]*(?:\d[\d.,]*\s?(?:-|–|to|a)\s?)?$")
_NOTHING_COUNTED = re.compile(
    r"[*_]{0,3}\s{0,3}(?:$|[\n,;()|/+·'–-]|\.(?:[\s-]|$)"
    r"|(?:por|per|pp|al|each|cada|y|o|and|or|el|la|los|las|a|an|iva|vat|plus)\b)",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^[ \t]*(\d{1,2})[.)][ \t]+", re.MULTILINE)
_BARE_LINK = re.compile(
    # A domain without its www: letters, a dot, and an ending that is no word of a sentence.
    # Small letters: "It's good.It is" lacks a space.
    r"\b(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?-i:com|net|org|info|biz|io|app|dev|shop|store|online"
    r"|site|eu|es|uk|co|us|de|fr|it|pt|nl|mx|ar|cl|pe|cat|coop|gal|eus)\b(?:/[^\s)»”\"<>`\]'’…]*)?",
    re.IGNORECASE,
)
_BEHIND_LINKS = ".,;:!?*_~`'’…"
_NAME = re.compile(r"(?<![\w'’-])[^\W\d_][\w'’-]+")
NO_NAMES = frozenset(
    ["ok", "pm", "am", "tv", "ud", "uds", "sr", "sra", "srta", "dr", "dra", "mr", "mrs", "ms"]
)
"""What is written in capitals without being a name."""
NOUNS_IN_CAPITALS = frozenset(["de", "lb"])
"""Languages in which a capital does not tell a name."""

_LETTERS = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_BULLET = re.compile(r"(?:^|\n)[ \t]*[-–—•·]$")
_SENTENCE_END = re.compile(r"[.!?…][)\]\"'»”’*_]*$")


def words(text: str) -> list[str]:
    """The words of a text in small letters, numbers whole, without punctuation."""
    return _WORDS.findall(unicodedata.normalize("NFC", text).casefold().replace("’", "'"))


@functools.cache
def stop_words(language: str) -> frozenset[str]:
    """The language's function words by spaCy's list; empty for a language it has none for."""
    import spacy

    try:
        defaults = spacy.util.get_lang_class(language).Defaults
    except ImportError:
        return frozenset()
    return frozenset(defaults.stop_words)


class Known:
    """Every number, link and word the bot may have from somewhere: examples, documents, prompts."""

    def __init__(self, texts: Iterable[str], common: frozenset[str], language: str = "en") -> None:
        """``common`` are words that are no name, however they are written.

        Where none are known, and where every noun has a capital, names are not looked for.
        """
        self._common = frozenset(map(fold, common)) | NO_NAMES
        self._names = bool(common) and language not in NOUNS_IN_CAPITALS
        self._words: set[str] = set()
        self._numbers: set[str] = set()
        self._links: set[str] = set()
        # Money and shares, and numbers that don't say what they count: cells of a price list.
        self._amounts: set[tuple[str, str]] = set()
        for text in texts:
            self._words.update(_form(word) for word in words(text))
            short = {name.casefold() for name in _SHORT_NAME.findall(text)}  # Mon, Sept
            self._words.update(
                _form(name) for name in _DAYS_AND_MONTHS if {name[:3], name[:4]} & short
            )
            # The letters of 5pm, and Wi-Fi as WiFi.
            self._words.update(_form(p.replace("-", "").casefold()) for p in _LETTERS.findall(text))
            self._numbers |= numbers_in(text)
            self._amounts |= _amounts(text)
            self._links.update(_link(found) for found in _links(text))

    def inventions(self, answer: str, prompt: str, given: Sequence[str] = ()) -> list[str]:
        """Numbers, prices, dates, links, addresses and proper names that stand nowhere else.

        A proper name is a capitalised word in the middle of a sentence, compared without accents
        and without the s of a plural. Numbers are compared as numbers (3.40 is 3,40; 600 123 456 is
        600123456); what is a price or a share in the answer must be one elsewhere, or a number that
        may be one: four parking spaces are no £4. What the prompt says may be taken for either;
        ``given``, the facts, not. Small numbers written as words, and those of a list, are not
        looked at.
        """
        own, asked = Known([prompt, *given], self._common), numbers_in(prompt)
        found = []
        rest = settled(_without_list_marks(_KEYCAP.sub("", answer)))
        for link in _links(answer):
            rest = rest.replace(link, " ")
            if not {_link(link)} & (self._links | own._links):
                found.append(link)
        numbers, amounts = self._numbers | own._numbers, self._amounts | own._amounts

        def unknown(run: re.Match[str]) -> str:
            """What is left to look at of digits with spaces between."""
            if _is_in(_joined(run[0]), numbers):
                return " "
            if not _is_spaced_phone(run[0]):
                return run[0]
            found.append(run[0])  # halves of two telephones are none
            return " "

        whole = _PARTED.sub(unknown, rest)
        for match in NUMBER.finditer(whole):
            number = digits(match[0])
            if number.isdigit() and _CENTS.match(whole, match.end()):  # 50p, which is £0.50
                part = digits(f"{int(number) / 100:.2f}")
                number = part if (part, "money") in amounts else number
            kind = _kind(whole, match)
            counts = (
                kind == "" or number in asked or {(number, kind), (number, "")} & amounts
            )  # fmt: skip
            if not (counts and _is_in(number, numbers)):
                found.append(match[0])
        common = self._common
        for name in _NAME.finditer(rest) if self._names else ():
            if not name[0][0].isupper() or _begins_a_sentence(rest[: name.start()]):
                continue
            word = name[0].replace("’", "'")
            if fold(word.split("'")[0]) in common:
                continue
            parts = {_form(part) for part in words(word) if fold(part) not in common}
            known = self._words | own._words
            if not (parts <= known or _form(word.replace("-", "").casefold()) in known):
                found.append(name[0])
        return found


def _form(word: str) -> str:
    """A word as it is compared: without accents, a possessive, and the s of a plural."""
    return fold(word).removesuffix("'s").removesuffix("s")


def numbers_in(text: str) -> set[str]:
    """The numbers of a text; digits with spaces between are also one number."""
    both = f"{text}\n{settled(text)}"
    found = {digits(number) for number in NUMBER.findall(both)}
    found |= {digits(":".join(time)) for time in _PERHAPS_HOURS.findall(text)}
    found |= {_joined(run) for run in _PARTED.findall(both)}
    for number in NUMBER.findall(text):
        parts = number.split(",")
        if len(parts) > 2 and any(len(part) != 3 for part in parts[1:]):  # sizes 36,38,40
            found |= {digits(part) for part in parts}
    return found | {number[-PHONE:] for number in found if _is_phone(number)}


def _amounts(text: str) -> set[tuple[str, str]]:
    """Numbers that are money or shares, or, with no kind, may be either."""
    text = f"{text}\n{settled(text)}"
    found = set()
    for match in NUMBER.finditer(text):
        kind = _kind(text, match)
        bare = re.search(r"[.,]\d\d$", match[0]) or _NOTHING_COUNTED.match(text, match.end())
        if kind or (bare and ":" not in match[0]):
            found.add((digits(match[0]), kind))
    for run in _PARTED.finditer(text):
        found.add((_joined(run[0]), ""))
    return found


def _kind(text: str, number: re.Match[str]) -> str:
    """What a number says it is: money, share, or nothing."""
    if _COIN_BEFORE.search(text, max(0, number.start() - 20), number.start()):
        return "money"
    return next((k for k, form in _KINDS.items() if form.match(text, number.end())), "")


def counts_other(reply: str, line: str, numbers: AbstractSet[str]) -> bool:
    """Whether numbers are prices or shares in a reply and may be none in a line: £4, 4 places."""
    said, held = settled(reply), _amounts(line)
    kinds = {
        (digits(match[0]), _kind(said, match))
        for match in NUMBER.finditer(said)
        if digits(match[0]) in numbers and _kind(said, match)
    }
    return bool(kinds) and not any({one, (one[0], "")} & held for one in kinds)


def settled(text: str) -> str:
    """Days, times and telephones in one way of writing them.

    12.05.2024 as 12/05/2024, 20h30 as 20:30, (0131) 555 as 0131 555.
    """
    return _AREA.sub(r"\1 ", _HOURS.sub(r"\1:\2", _DOTTED_DAY.sub(r"\1/\2/\3", text)))


def _is_phone(number: str) -> bool:
    return len(number) >= PHONE and number.isdigit()


def _is_spaced_phone(run: str) -> bool:
    """Whether digits with spaces between can only be a telephone: no day, no list of numbers."""
    many = len(re.sub(r"\D", "", run))
    return PHONE <= many <= LONGEST_PHONE and not _WITH_A_DAY.search(run) and "," not in run


def _is_in(number: str, numbers: AbstractSet[str]) -> bool:
    return number in numbers or (_is_phone(number) and number[-PHONE:] in numbers)


def _joined(run: str) -> str:
    return digits(re.sub(r"[\s-]", "", run))


def _without_list_marks(text: str) -> str:
    """A text without the numbers that its lines begin with, if they count from one."""
    marks = [int(number) for number in _LIST_MARK.findall(text)]
    return _LIST_MARK.sub("", text) if marks == list(range(1, len(marks) + 1)) else text


def _begins_a_sentence(before: str) -> bool:
    """Whether what comes after ``before`` begins a sentence, and has its capital from that."""
    left = before.rstrip(" \t\"'«“‘(¿¡*_")
    if not left or left[-1] in ":\n;" or _SENTENCE_END.search(left) or _BULLET.search(left):
        return True
    if left.endswith((":)", ":-)", ";)", ";-)", ":D")):
        return True
    marks = ("So", "Sk", "Mn", "Me", "Cf")  # an emoji
    return left[-1] in "→⇒" or unicodedata.category(left[-1]) in marks


def _links(text: str) -> list[str]:
    """Links and addresses, in the order of their kind; what is a link is no second one."""
    found = [link.rstrip(_BEHIND_LINKS) for link in _LINK.findall(text)]
    for link in found:
        text = text.replace(link, " ")
    return found + [link[0].rstrip(_BEHIND_LINKS) for link in _BARE_LINK.finditer(text)]


def digits(number: str) -> str:
    """A number without the marks that countries write differently: 3,40 and 3.40 are 3.4."""
    parts = number.split(".")
    if len(parts) > 3 and any(len(part) != 3 for part in parts[1:]):  # a telephone, 93.212.34.56
        return "".join(parts)
    whole, _, part = number.replace(":", ".").replace(",", ".").rpartition(".")
    if not whole:
        return number.lstrip("0") or "0"
    if len(part) == 3 and ":" not in number and whole != "0":  # thousands
        return (whole + part).replace(".", "")
    return f"{whole.replace('.', '').lstrip('0') or '0'}.{part}".rstrip("0").rstrip(".")


def _link(found: str) -> str:
    return re.sub(r"^(https?://)?(www\.)?", "", found.casefold()).rstrip("/.,;")


SHORT = 4
"""Letters under which a text that must be in an answer has to be a word of its own."""


def right(
    answer: str, must_contain: Sequence[str], must_not_contain: Sequence[str], expect: str
) -> bool:
    """Whether an answer holds what it must, and nothing it must not.

    Texts are compared without regard to capitals; numbers as numbers. Where nothing must be
    contained, half of the words of ``expect`` have to be there: those of four letters or more, if
    it has any. Short texts are looked for as words: "no" is not in "know".
    """
    if any(_holds(answer, text) for text in must_not_contain):
        return False
    if must_contain:
        return all(_holds(answer, text) for text in must_contain)
    every = set(words(expect))
    wanted = {word for word in every if len(word) > 3} or every
    return len(wanted & set(words(answer))) >= len(wanted) / 2


def _holds(answer: str, text: str) -> bool:
    if NUMBER.search(text) and NUMBER.sub("", text).strip() == "":
        found = numbers_in(answer)
        return {digits(n) for n in NUMBER.findall(text)} <= found or _joined(text) in found
    plain, sought = (_comparable(one) for one in (answer, text))
    if len(text.strip()) < SHORT:
        return re.search(rf"(?<!\w){re.escape(sought)}(?!\w)", plain) is not None
    return sought in plain


def _comparable(text: str) -> str:
    """Small letters and single spaces; each number in one way of writing it, with its borders.

    Else £3 would be in £3.40, and 10 € in 110 €.
    """
    plain = " ".join(text.casefold().split())
    return NUMBER.sub(lambda number: f"\0{digits(number[0])}\0", plain)
