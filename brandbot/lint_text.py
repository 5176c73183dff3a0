"""What stands in one text: sentences, emoji, broken rules and letters, facts, its language.

Pure functions from a text to what was found in it. They know nothing of files, examples or
severities; ``lint`` decides what a finding means where it stands. Evaluation uses them too.
"""

from __future__ import annotations

import functools
import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from brandbot.lint_privacy import Found
from brandbot.persona import Rules


@dataclass(frozen=True)
class BrokenRule:
    """A rule of ``persona.yaml`` a reply breaks; ``code`` names an entry of ``texts.PROBLEMS``."""

    code: str
    values: dict[str, Any]


# --- The house rules ------------------------------------------------------------------------------

# A pictograph in its emoji form: those shown as emoji by default, the common ones that programs
# show as emoji even without the variation selector, and any symbol followed by the selector.
_PICTOGRAPH = (
    "(?:[\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
    "\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2600-\u2604\u2607-\u26ff"
    "\u2702\u2705\u2708-\u270d\u270f\u2712\u2714\u2716\u271d\u2721\u2728\u2733\u2734\u2744\u2747"
    "\u274c\u274e\u2753-\u2755\u2757\u2763\u2764\u2795-\u2797\u27a1\u27b0\u27bf"
    "\u2b1b\u2b1c\u2b50\u2b55]\ufe0f?"
    "|[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u2bff"
    "\u3030\u303d\u3297\u3299]\ufe0f)"
)
_MODIFIERS = "[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*"
_EMOJI = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"  # a flag is two letters
    "|[0-9#*]\ufe0f?\u20e3"  # a keycap
    f"|{_PICTOGRAPH}{_MODIFIERS}(?:\u200d{_PICTOGRAPH}{_MODIFIERS})*"  # joined: a family is one
)

# Written with a full stop that ends no sentence: before a name, before a number, before anything.
_TITLES = frozenset([
    "mr", "mrs", "ms", "dr", "dra", "st", "sr", "sra", "srta", "d", "dña", "av", "avda", "pza",
    "ctra", "prof", "sta", "sto", "urb", "edif",
])  # fmt: skip
_NUMBERED = frozenset(["no", "núm", "art", "pág", "tel", "teléf", "tlf", "dpto", "approx", "aprox"])
_HALF_OF_DAY = frozenset(["a.m", "p.m"])
_ACRONYM = re.compile(r"(?:[A-Z]\.)+[A-Z]")
_SHORTENED = frozenset(
    ["e.g", "i.e", "vs", "etc", "ej", "p.ej", "a.m", "p.m", "ud", "uds", "ee.uu"]
)
_SPACED = re.compile(r"\b(p|ee|a|p)\. (ej|uu|m)\.", re.IGNORECASE)
_LIST_MARK = re.compile(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+")
_SENTENCE_END = re.compile(r"([.!?…]+)([\"'»”’)\]*_]*)(?=\s|$|[¿¡])")


def emojis(text: str) -> list[str]:
    """Each emoji as a person sees it: a family, a flag or a skin tone is one."""
    return _EMOJI.findall(text)


def count_sentences(text: str) -> int:
    """How many sentences a reader would count; see ``sentences``."""
    return len(sentences(text))


def sentences(text: str) -> list[str]:
    """A text's sentences as a reader would count them.

    ``¿Sí? ¡Claro!`` is two; abbreviations, 3.5 and an ellipsis in mid-sentence end none; a line of
    a list is one; emoji after the last full stop are none.
    """
    found: list[str] = []

    def add(sentence: str) -> None:
        if any(c.isalnum() for c in sentence):
            found.append(sentence.strip())

    for line in text.split("\n"):
        line = _SPACED.sub(r"\1.\2.", _LIST_MARK.sub("", line))
        start = 0
        for end in _SENTENCE_END.finditer(line):
            rest = line[end.end() : end.end() + 40].lstrip().lstrip("¿¡\"'«“‘(*_")
            goes_on = rest[:1].islower()
            if goes_on and (end[1].endswith(("..", "…")) or end[2].strip("*_")):
                continue  # an ellipsis, or a question that is quoted
            if end[1] == "." and ends_in_abbreviation(line[start : end.start()], rest):
                continue
            add(line[start : end.end()])
            start = end.end()
        add(line[start:])
    return found


def ends_in_abbreviation(sentence: str, rest: str) -> bool:
    """Whether the full stop after ``sentence`` belongs to its last word; ``rest`` follows it."""
    last = sentence.split()[-1].lstrip("(¿¡\"'«") if sentence.split() else ""
    word, after = last.lower(), rest[:1]
    if after.isdigit() and word in _NUMBERED:
        return True
    if after.isupper():
        initials = re.fullmatch(r"(?:[A-Z]\. ?)*[A-Z]", sentence.strip())
        # Small letters make a title of any but "on Main st.", "vitamin d."
        title = word in _TITLES and (last.istitle() or word not in ("st", "d"))
        day = word in _HALF_OF_DAY and re.match(rf"{_DAY}\b", rest, re.IGNORECASE)
        return bool(initials or title or day) or word in ("e.g", "i.e", "vs", "incl", "excl")
    if after.islower() and _ACRONYM.fullmatch(last):
        return True
    return bool(rest) and word in _SHORTENED | _TITLES | _NUMBERED


def broken_rules(reply: str, rules: Rules) -> list[BrokenRule]:
    """Every rule of the persona that ``reply`` breaks."""
    broken = []
    composed = _typed(reply)
    for word in rules.never_say:
        if _whole_word(word).search(composed):
            broken.append(BrokenRule("never-say", {"word": word}))
    seen = emojis(reply)
    if seen and rules.emoji == "none":
        broken.append(BrokenRule("no-emoji", {"found": seen[0]}))
    if len(seen) > 1 and rules.emoji == "sparing":
        broken.append(BrokenRule("many-emoji", {"count": len(seen)}))
    if rules.max_sentences is not None:
        count = count_sentences(reply)
        if count > rules.max_sentences:
            values = {"count": count, "most": rules.max_sentences}
            broken.append(BrokenRule("many-sentences", values))
    return broken


@functools.lru_cache(maxsize=512)
def _whole_word(word: str) -> re.Pattern[str]:
    parts = _typed(word).strip('"“”«»„').split()
    inner = r"\s+".join(re.escape(part) for part in parts)
    # "!!!" and "%" are words, too, and stand right beside others.
    before, after = (
        "(?<!\\w)" if inner[:1].isalnum() else "",
        "(?!\\w)" if inner[-1:].isalnum() else "",
    )
    return re.compile(before + inner + after, re.IGNORECASE)


def _typed(text: str) -> str:
    """A text with the apostrophes and hyphens of a keyboard, not those of Word."""
    return unicodedata.normalize("NFC", text).translate(_KEYBOARD)


_KEYBOARD = str.maketrans("’‘‐‑", "''--")


# --- Broken letters -------------------------------------------------------------------------------

# UTF-8 read as Windows-1252 starts with Ã, Â, â or ð and goes on with what those bytes look like.
_MOJIBAKE = re.compile("[ÂÃâð][\u0080-\u00bf‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ€]{1,3}")
# The same bytes read as those of an old Mac and of DOS.
_OLDER = (
    ("mac_roman", re.compile("[√¬‚][^\x00-\x7f]{1,2}")),
    ("cp850", re.compile("[├┬Ô][^\x00-\x7f]{1,2}")),
)
_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{2,6}|#x[0-9a-fA-F]{2,5});")


_SPREADSHEET = re.compile(
    r"#(?:[¡¿]?(?:REF!?|N/[AD]|NAME\??|NOMBRE\??|DIV/0!?|VALUE!?|VALOR!?|NUM!?|NULL!?|NULO!?|ERROR!?"
    r"|SPILL!?|DESBORDAMIENTO!?|CALC!?|GETTING_DATA)[!?]?|#{3,})"
    r"|\d(?:[.,]\d+)?E\+\d+|Err:\d{3}|(?:Loading|Cargando)(?:\.{3}|…)"
    r"|=(?:[A-ZÁÉÍÓÚÑ.]{2,}\(.*\)|\$?[A-Z]{1,2}\$?\d+\b.*)",
    re.IGNORECASE,
)


_LEFT_OVER = re.compile(
    r"</?(?:a|b|br|div|em|font|h[1-6]|i|img|li|p|span|strong|table|td|th|tr|u|ul|o:p)(?:\s[^<>]*)?/?>"
    r"|\bmso-[a-z]+|\{\{[^{}]*\}\}|\*\|\w+\|\*|%%\w+%%|<<[\w ]+>>|«[A-Z]\w*_\w+»|_{4,}|<@U\w+>"
    r"|(?i:\[(?:(?:first |last |your )?name|nombre|apellidos?|fecha|date|(?:insert )?(?:link|url)"
    r"|enlace)\](?!\())"
    r"|(?im:^\W*(?:TBD|TBC|pendiente|por definir|same as above|igual que arriba|ídem)\W*$)"
    r"|(?i:\b(?:sent from my|enviado desde mi) (?:iphone|ipad|android|m[oó]vil|samsung)\b)"
    r"|\[[A-ZÁÉÍÓÚÑ _]{3,}\]|\[(?:[A-ZÁÉÍÓÚÑ][a-záéíóúñ]+ ?){2,}\](?!\()"
    r"|(?i:\[(?!número de (?:cuenta|tarjeta|documento)\])"  # redaction's own
    r"(?:(?:el|la|tu|su|your|the|insert(?:ar)?|añadir) )?(?:nombre|apellidos?|número|fecha|precio"
    r"|producto|enlace|empresa|marca|ciudad|customer|client|order|price|product|company|link|name)"
    r"(?: [^\W\d_]+){0,4}\](?!\())"
    r"|\{[A-Za-zÁÉÍÓÚÑáéíóúñ_]{3,20}\}|\bX{4,}\b|<(?:brand|name|nombre|marca|cliente|customer|empresa|company)>"
    # TODO is a Spanish word
    r"|(?m:\bTODO(?=\s*[:(])|^\W*TODO\W*$)|\b(?:XXX|FIXME)\b|(?i:\blorem ipsum\b)"
    r"|[\ue000-\uf8ff\u200b\ufffc]|【[^】]*】|<\|[a-z_]+\|>|</?(?:start|end)_of_turn>|\[/?INST\]"
)

_NO_REPLY = re.compile(
    # what language models say about themselves
    r"(?i:\bas an ai\b(?: language model| assistant)?|\bcomo (?:un )?modelo de lenguaje\b"
    r"|\bcomo (?:una )?(?:ia|inteligencia artificial)\b(?=,)|\bmy (?:knowledge|training) cut-?off\b"
    r"|\bhere(?:'|’)s (?:a|the|your) (?:response|reply|rewrit\w+)\b)"
    # who speaks, before what is said
    r"|(?im:^\W{0,3}(?:cliente|usuario|customer|user|marca|brand|bot|asistente|assistant|respuesta"
    r"|answer|reply)\W{0,2}:)|(?m:^[QAPR]:\s)"
)


def left_over(text: str) -> str | None:
    """The first thing a program or a template left in a text: a tag, {{name}}, [NAME], TODO."""
    found = _LEFT_OVER.search(text)
    return None if found is None else found[0]


def of_no_reply(text: str, brand: str = "") -> str | None:
    """The first thing in a reply that is none of it: who speaks, or a language model of itself.

    ``brand`` is its name, which speaks, too.
    """
    speaks = rf"(?im)^\W{{0,3}}{re.escape(brand)}\W{{0,2}}:" if brand else r"(?!)"
    found = re.search(speaks, text) or _NO_REPLY.search(text)
    return None if found is None else found[0]


def is_spreadsheet_error(text: str) -> bool:
    """Whether a text is all that Excel left of a cell: #REF!, ####, 6,12E+08."""
    return _SPREADSHEET.fullmatch(text.strip()) is not None


def lost_characters(text: str) -> int:
    """Replacement and control characters: letters that a program could not read."""
    return sum(c == "\ufffd" or (unicodedata.category(c) == "Cc" and c not in "\n\t") for c in text)


def mojibake(text: str) -> tuple[str, str] | None:
    """The first letters that were read in a wrong encoding, and what they were: ``Ã©``, ``é``."""
    for found in _MOJIBAKE.finditer(text):
        for length in range(len(found[0]), 1, -1):
            piece = found[0][:length]
            raw = b"".join(_windows_byte(c) for c in piece)
            try:
                return piece, raw.decode("utf-8")
            except UnicodeDecodeError:
                continue
    for encoding, pattern in _OLDER:
        for found in pattern.finditer(text):
            for length in range(len(found[0]), 1, -1):
                try:
                    return found[0][:length], found[0][:length].encode(encoding).decode("utf-8")
                except UnicodeError:
                    continue
    return None


def letters_as_marks(text: str) -> str | None:
    """The first word with question marks where a program lost its letters: ``env?os``."""
    found = re.search(r"(?<![\w/=?&.])[^\W\d_]+\?[a-záéíóúñ][^\W\d_]*(?![\w=&])", text)
    return None if found is None else found[0]


def _windows_byte(character: str) -> bytes:
    if ord(character) < 256:
        return bytes([ord(character)])
    return character.encode("cp1252", "replace")


def html_entity(text: str) -> tuple[str, str] | None:
    """The first HTML code such as ``&eacute;``, and the letter it stands for."""
    for found in _ENTITY.finditer(text):
        meant = html.unescape(found[0])
        if meant != found[0]:
            return found[0], meant.replace("\xa0", " ")
    return None


# --- Facts that will change -----------------------------------------------------------------------

# May and March are words of their own in small letters.
_MONTH = (
    r"(?-i:May|March|Mar)|january|february|april|june|july|august|september|october|november"
    r"|december|jan|feb|apr|jun|jul|aug|sept?|oct|nov|dec"
)
_MES = (
    "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre|setiembre|octubre|noviembre"
    "|diciembre"
)
_DAY = (
    r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:days?)?|weekdays?|weekends?"
    r"|lunes|martes|mi[eé]rcoles|jueves|viernes|s[aá]bados?|domingos?)"
)
_FROM = "(?:de|los|el|a las?|hasta las?)"
_N = r"\d+(?:[.,]\d+)*"
_FACTS: dict[str, re.Pattern[str]] = {
    kind: re.compile("|".join(patterns), re.IGNORECASE)
    for kind, patterns in {
        "url": [
            r"\bhttps?://\S+",
            r"\bwww\.\S+\.\S+",
            r"(?<![@\w.-])[a-z0-9-]{3,}\.(?:com|org|net|es|co\.uk)\b",
        ],
        "price": [
            rf"[€$£]\s?{_N}",
            rf"(?<![\w.,]){_N}\s?[€$£]",
            rf"(?<![\w.,]){_N}\s?(?:euros?|eur|dollars?|usd|gbp|pesos?|céntimos?|cents?|pence)\b",
            rf"(?<![\w.,]){_N}\s?pounds?\b(?!\s+of)",
        ],
        "percentage": [
            rf"(?<![\w.,])(?!100\s?(?:%|por|per)){_N}\s?(?:%|per\s?cent\b|por\s?ciento\b)"
        ],
        "hours": [
            r"(?<![\w:.,])(?:0\d|1\d|2[0-4]|[2-9]):[0-5]\d(?![\d:])",
            # A bare 1:15 is more often a ratio.
            r"\b(?:at|by|until|till|from|la)\s1:[0-5]\d\b",
            r"(?<![\w:.,])\d{1,2}(?:[:.][0-5]\d)?\s?(?:[ap]\.?m\b|o'clock\b)",
            # 12 h to rest are no time of day.
            r"(?<!reposar )(?<!durante )(?<!cada )(?<!unas )(?<!for )(?<!every )(?<![\w:.,])"
            r"\d{1,2}(?:\.[0-5]\d)?\s?h\b",
            rf"\b{_DAY}\s?(?:-|–|to|through|till|until|a|hasta(?: el)?)\s?{_DAY}\b",
            rf"\b(?:open|close)[ds]?\s(?:\w+\s)?(?:on|at|until|till)\s(?:{_DAY}|\d{{1,2}})\b",
            rf"\b(?:abri|cerra)mos\s{_FROM}\s(?:{_DAY}|\d{{1,2}})\b",
            rf"\b(?:abre|cierra|abiert[oa]s?|cerrad[oa]s?)\s{_FROM}\s(?:{_DAY}|\d{{1,2}})\b",
            r"\ba las? \d{1,2}\b(?! (?:semanas|horas|noches|personas))",
        ],
        "date": [
            r"(?<![\w/.-])(?:0?[1-9]|[12]\d|3[01])[/.-](?:0?[1-9]|[12]\d|3[01])[/.-](?:19|20)?\d\d"
            r"(?![\w/-])",
            r"(?<![\w/.-])(?:19|20)\d\d-\d\d-\d\d(?![\w/-])",
            rf"\b\d{{1,2}}(?:st|nd|rd|th)?(?: of)? (?:{_MONTH})\b",
            rf"\b(?:{_MONTH}) \d{{1,2}}(?:st|nd|rd|th)?\b",
            rf"\b\d{{1,2}} de (?:{_MES})\b",
            r"\b(?:in|since|until|by|for|en|desde|hasta|para) (?:19|20)\d\d\b(?! \w+s\b)",
        ],
        "stock": [
            r"\bonly (?:\d+|one|two|three|four|five|a few|a couple) left\b",
            r"\b\d+ (?:left|remaining) in stock\b",
            r"\b(?:in|out of|en|sin) stock\b",
            r"\bsold out\b",
            r"\b(?:solo|sólo|ya) (?:nos )?quedan? (?:\d+|un[oa]?|dos|tres|cuatro|cinco)\b",
            r"\bquedan \d+\b(?! (?:pasos|minutos|horas|d[ií]as|semanas|meses))",
            # Of people it is said with estar, or of something: agotada de esperar.
            r"(?<!\best[eéaá]s )(?<!\bestoy )(?<!\b[mts]e )"
            r"\bagotad[oa]s?\b(?! de\b)",
            r"\b\d+ unidades\b",
        ],
    }.items()
}


def facts(text: str) -> list[Found]:
    """What will be wrong some day: at most one of each kind, e-mail and telephone left out."""
    found = ((kind, pattern.search(text)) for kind, pattern in _FACTS.items())
    return [Found(kind, match[0][:40]) for kind, match in found if match]


# --- Language -------------------------------------------------------------------------------------

LANGUAGES = ("en", "es", "fr", "de", "it", "pt", "nl", "ca")
"""What a text may turn out to be: a short list, as over 140 languages short texts are misread."""


def other_language(text: str, expected: str) -> str | None:
    """The language ``text`` is in if it clearly is not ``expected``, else None.

    Texts under 8 words, and languages the identifier does not know, are never judged.
    """
    words = sum(any(c.isalpha() for c in word) for word in text.split())
    if words < 8:
        return None
    identifier = _identifier(expected)
    if identifier is None:
        return None
    ranked: Sequence[tuple[str, float]] = identifier.rank(text)
    best, share = ranked[0]
    return best if share > 0.8 and dict(ranked)[expected] < 0.1 else None


def is_unknown(language: str) -> bool:
    """Whether a language is none of the hundred most written ones that can be told."""
    return _identifier(language) is None


@functools.lru_cache(maxsize=8)
def _identifier(expected: str) -> Any:
    from py3langid import langid  # type: ignore[import-untyped, unused-ignore]

    file = langid.MODEL_DIR / langid.MODEL_FILE
    identifier = langid.LanguageIdentifier.from_model_file(file, norm_probs=True)
    if expected not in identifier.labels:
        return None
    identifier.set_languages({*LANGUAGES, expected})
    return identifier
