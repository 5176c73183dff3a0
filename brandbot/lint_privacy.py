"""Personal data and secrets in one text, found by their pattern.

Pure functions from a text to what was found in it; nothing is sent anywhere and no model is loaded.
Heavy packages are loaded on the first text that might need them: one without an @ or six digits
never loads presidio. Names and postal addresses have no pattern and are not found.
"""

from __future__ import annotations

import functools
import ipaddress
import re
import warnings
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from brandbot.lint_secrets import Found as Found
from brandbot.lint_secrets import secrets as secrets

CONTACTS = frozenset(["email", "phone"])
"""Kinds that brands tell everybody, too."""

_MAY_BE_PERSONAL = re.compile(
    r"@|\d(?:[\s().:/+-]{0,2}\w?\d){5}|\d\.\d+\.\d|[0-9a-f]{0,4}:[0-9a-f]{0,4}:"
    r"|[([{](?:at|arroba)[)\]}]|\barroba\b|\sdot\s",
    re.IGNORECASE,
)
_PHONE = r"\b(?:phone|mobile|cell|whatsapp|tel|tlf|tfno|tel[eé]fono|m[oó]vil|celular)s?\b"
_A_PHONE = re.compile(_PHONE, re.IGNORECASE)
_IS_A_PHONE = re.compile(
    rf"\W{{0,2}}(?:(?:es|is)\W+(?:(?:mi|el|my|the)\W+)?)?{_PHONE}", re.IGNORECASE
)
_ABOUT_PHONES = re.compile(
    rf"{_PHONE}|\b(?:call|ring|text|number is|ll[aá]m\w*|n[uú]mero es|fijo|cel|contacto|wasap"
    r"|av[ií]sa\w*(?=(?: al| a| on)?\W*$)|landline"
    r"|mi n[º°](?=\W*(?:es(?: el)?)?\W*$))(?!\w)",
    re.IGNORECASE,
)
_ORDER = (
    r"\b(?:order(?:_\w+)?|pedido|ref\w*|invoice|factur\w*|tracking|seguimiento|parcel|paquete"
    r"|env[ií]o|ticket|reserv\w*|booking|code|c[oó]digo|isbn|ean|sku|serial|serie)s?\b"
)
_AN_ORDER = re.compile(_ORDER, re.IGNORECASE)
# "no." is a number's only after an order: it also ends "I think not" and "creo que no".
_ABOUT_ORDERS = re.compile(rf"{_ORDER}|\bn\.?[º°]|[#№]", re.IGNORECASE)
_IS = r"(?:is|was|es|era)(?: el| la)?\W{1,3}"
_CALLED_AN_ORDER = re.compile(
    rf"(?:(?:{_ABOUT_ORDERS.pattern})\W{{0,3}}(?:\bn\.?o\W{{1,3}})?"
    rf"|{_ORDER} (?:number|n[uú]mero)\W{{1,3}}(?:{_IS})?"
    rf"|\bn[uú]mero de {_ORDER}\W{{1,3}}{_IS}|\b(?:code|c[oó]digo)\W{{1,3}}{_IS})$",
    re.IGNORECASE,
)
_MEASURED = re.compile(r" ?(?:ml|cl|kg|cm|mm|€|£|%)(?!\w)", re.IGNORECASE)
_VERSION = re.compile(r"(?:\bversi\w+|firmware|\bv\.?|cap[ií]tulo|chapter)\s*$", re.IGNORECASE)
_INVENTED = re.compile(r"@(?:[\w-]+\.)*(?:(?:example|ejemplo)\.\w+|\w+\.(?:example|test|invalid))$")
"""Addresses that are kept for examples, and that messages about personal data advise."""
_NEW_SENTENCE = re.compile(r"[.!?]\s+(?!N[º°.])(?=[^\W\d_a-zà-ÿ]|[¿¡])|\n+(?=\S)")
_PHONE_REGIONS = ("ES", "GB", "US")

# As word processors, phones and Slack write them; each as long as what it stands for.
_PLAINLY = str.maketrans("\u00a0\u2007\u202f\u2010\u2011\u2012\u2013\u2212＠", "   -----@")


def personal_data(text: str, region: str = "", *, eager: bool = False) -> list[Found]:
    """Patterned personal data in ``text``, each place once, in its order.

    ``region`` is the country of the persona's language tag, ``MX`` for ``es-MX``: its telephone
    numbers are known besides those of Spain, the United Kingdom and the United States. ``eager``
    takes a bare run of digits for a telephone number if it can be one and is not called an order's.
    Names and postal addresses have no pattern and are not found.
    """
    said = text.translate(_PLAINLY)
    if not _MAY_BE_PERSONAL.search(said):
        return []
    spans: list[tuple[int, int, str]] = []

    def keep(kind: str, start: int, end: int) -> None:
        if not any(start < other_end and other < end for other, other_end, _ in spans):
            spans.append((start, end, kind))

    for kind, pattern, holds in _WRITTEN:
        for match in pattern.finditer(said):
            name = "it" if "it" in match.groupdict() else 0
            if holds(match[name]):
                keep(kind, *match.span(name))
    for match in _SLIPPED.finditer(said) if eager else ():
        keep("email", *match.span())
    for start, end in _ibans(said):
        keep("iban", start, end)
    for kind, recognizer in _recognizers(region.upper()):
        for result in recognizer.analyze(said, list(recognizer.supported_entities)):
            value = said[result.start : result.end]
            if result.score >= 0.3 and _plausible(kind, value, said, result.start, eager):
                keep(kind, result.start, result.end)
    found = [Found(kind, text[start:end]) for start, end, kind in sorted(spans)]
    return [f for f in found if eager or f.kind != "email" or not _INVENTED.search(f.value.lower())]


def _plausible(kind: str, value: str, text: str, start: int, eager: bool) -> bool:
    if kind == "phone":
        digits = re.sub(r"\D", "", value)
        if re.fullmatch(r"(19|20)\d\d\D+(19|20)\d\d.*", value) or len(digits) < 9:
            return False  # years
        groups = [int(part) for part in re.findall(r"\d+", value)]
        steps = [after - before for before, after in pairwise(groups)]
        named = "+" in value or _A_PHONE.search(text[max(0, start - 40) : start])
        if not named and len(groups) > 3 and all(1 <= step <= 12 for step in steps):
            return False  # sizes
        if not named and _MEASURED.match(text, start + len(value)):
            return False
        # A bare run of digits may be an order number, unless it looks or is called otherwise.
        bare = digits == value and not re.fullmatch(r"[67]\d{8}|07\d{9}", value)
        before = text[max(0, start - 40) : start]
        after = text[start + len(value) : start + len(value) + 25]
        called = bool(_ABOUT_PHONES.search(before) or _IS_A_PHONE.match(after))
        if "+" not in value and _CALLED_AN_ORDER.search(before) and not _is_a_phones(before):
            return False
        return not bare or called or (eager and not _ABOUT_ORDERS.search(before))
    if kind == "nino":
        return _is_nino(value)
    if kind == "ip":
        if value.count(":") < 3 and "." not in value:
            return False
        if _VERSION.search(text[max(0, start - 20) : start]):
            return False
        try:
            return ipaddress.ip_address(value.split("/")[0]).is_global
        except ValueError:
            return False
    return True


def _is_a_phones(before: str) -> bool:
    """Whether a number that follows an order's word or sign is a telephone's all the same.

    "Phone for the order: 612…" and "call me, #212…" are; "call about order 612…" and "mobile
    order 612…" are not.
    """
    said = _NEW_SENTENCE.split(before)[-1]
    phone = _A_PHONE.search(said)
    order = _AN_ORDER.search(said, phone.end() if phone else 0)
    if phone and order:
        return bool(
            re.match(
                r"\W*(?:n[uú]mero\W+|number\W+)?(?:for|of|para|de|del)\b",
                said[phone.end() :],
                re.IGNORECASE,
            )
        )
    return bool(phone or (_ABOUT_PHONES.search(said) and not order))


# What people type otherwise than Presidio's patterns expect: other separators, small letters.

_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"  # of Spanish documents, by the number modulo 23
_IBAN_LENGTHS = {
    15: "NO", 16: "BE", 18: "DK FI NL", 19: "SI", 20: "AT BA EE KZ LT LU XK", 21: "CH HR LI LV",
    22: "BG DE GB GE IE ME RS", 23: "AE GI IL", 24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "PT",
    26: "IS TR", 27: "FR GR IT MC SM", 28: "AL CY DO GT HU LB PL", 29: "BR UA", 31: "MT",
}  # fmt: skip
_IBAN_LENGTH = {land: length for length, lands in _IBAN_LENGTHS.items() for land in lands.split()}


def _bare(value: str) -> str:
    return re.sub(r"[\W_]", "", value).upper()


def _is_card(value: str) -> bool:
    digits = _bare(value)
    doubled = [int(d) * (2 if place % 2 else 1) for place, d in enumerate(reversed(digits))]
    issued = re.fullmatch(
        r"4(\d{12}|\d{15}|\d{18})|(5[1-5]|2[2-7]|35|6[05]|62)\d{14}|3[47]\d{13}|3[068]\d{12}",
        digits,
    )
    return bool(issued) and sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


def _is_document(value: str) -> bool:
    """A NIF or NIE whose letter is its number's."""
    bare = _bare(value)
    number = bare[:-1].translate(str.maketrans("XYZ", "012"))
    # "12345678 y" is a number and a word.
    alone = value[-2] == " " and value[-1].islower()
    return not alone and _LETTERS[int(number) % 23] == bare[-1]


def _is_nino(value: str) -> bool:
    """Also "at 10 20 30 a minute" looks like one."""
    return not re.match(r"(as|at|am|by|ha|he|me|my|we|se|el|la|te) ", value)


_CALLED_AN_ACCOUNT = re.compile(
    r"\b(?:iban|cuenta|account)\b\W{1,3}(?:\w+\W{1,3}){0,3}$", re.IGNORECASE
)


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    """Where account numbers stand, as long as their country's are; words may follow.

    The check digits have to be right, but for what is called an account: people mistype theirs.
    """
    start = r"(?<![A-Za-z0-9])([A-Za-z]{2})\s?\d{2}(?=[\s./-]{0,2}[A-Za-z0-9])"
    for match in re.finditer(start, text):
        length = _IBAN_LENGTH.get(match[1].upper(), 0)
        form = rf"[A-Za-z0-9](?:[\s./-]{{0,2}}[A-Za-z0-9]){{{length - 1}}}(?![A-Za-z0-9])"
        whole = re.compile(form).match(text, match.start()) if length else None
        if not whole:
            continue
        bare = _bare(whole[0])
        if sum(map(str.isdigit, bare)) * 2 < length:
            continue  # "es 91 euros por los dos envíos"
        called = _CALLED_AN_ACCOUNT.search(text[max(0, match.start() - 40) : match.start()])
        if called or int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4])) % 97 == 1:
            yield whole.span()


def _always(_value: str) -> bool:
    return True


_AT, _DOT = r"\s?[(\[{]\s?(?:at|arroba|@)\s?[)\]}]\s?", r"\s?[(\[{]\s?(?:dot|punto|\.)\s?[)\]}]\s?"
_WHO = r"(?<![\w.+-])[\w.+-]+"
_MAILERS = r"(?:gmail|googlemail|hotmail|outlook|yahoo|icloud|live|proton(?:mail)?|gmx|aol|msn)"
_WRITTEN: list[tuple[str, re.Pattern[str], Callable[[str], bool]]] = [
    (kind, re.compile(pattern, re.IGNORECASE), holds)
    for kind, pattern, holds in (
        # ana (at) gmail.com, ana arroba gmail punto com, ana at gmail dot com, ana @gmail . com
        ("email", rf"{_WHO}(?:{_AT}|\sarroba\s)[\w-]+(?:(?:{_DOT}|\s(?:dot|punto)\s|\.)[a-z]\w+)+",
         _always),
        ("email", rf"{_WHO}\sat\s[\w-]+(?:(?:{_DOT}|\sdot\s)[a-z]\w+)+", _always),
        ("email", rf"{_WHO}\s?@\s?{_MAILERS}\s?\.\s?[a-z]{{2,3}}(?:\.[a-z]{{2}})?\b", _always),
        ("card", r"(?<![\w.])\d(?:[ ./-]{0,2}\d){12,18}(?![\w])", _is_card),
        ("nie", r"\b[XYZ][-. ]?\d[. ]?\d{3}[. ]?\d{3}[-. ]{0,2}[A-Z]\b", _is_document),
        ("nif", r"(?<![\w.])\d{2}[. ]?\d{3}[. ]?\d{3}(?:[-./ ]| - )?[A-Z]\b", _is_document),
        ("nino", r"\b(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[ ./-]?\d{2}){3}"
         r"[ ./-]?[A-D]\b", _is_nino),
        # What is called by its name, though its form alone would not tell it.
        ("nif", r"\b(?:d\.?n\.?i|n\.?i\.?f)\b\W{0,3}(?:es(?: el)?|n[º.o]?|n[uú]mero)?\W{0,3}"
         r"(?P<it>\d{2}[. ]?\d{3}[. ]?\d{3}(?:[-.]?[A-Z])?)(?!\w)", _always),
        ("nie", r"\bn\.?i\.?e\b\W{0,3}(?:es(?: el)?|n[º.o]?|n[uú]mero)?\W{0,3}"
         r"(?P<it>[XYZ][- ]?\d{7}(?:[-.]?[A-Z])?)(?!\w)", _always),
        ("nif", r"\b(?:pasaporte|passport)\b\W+(?:\w+\W+){0,2}?(?P<it>[A-Z]{1,3}\d{6,9})\b",
         _always),
        ("ssn", r"\b(?:nuss|nass|afiliaci[oó]n|seguridad social)\b\W+(?:\w+\W+){0,3}?"
         r"(?P<it>\d{2}[ /]?\d{8}[ /]?\d{2})(?!\d)", _always),
        ("iban", r"\b(?:cuenta|account|ccc|clabe)\b\W+(?:\w+\W+){0,3}?"
         r"(?P<it>\d{4}[ -]?\d{4}[ -]?\d{2}[ -]?\d{10}|\d{18})(?!\d)", _always),
        ("iban", r"\bsort code\b\W{0,3}(?:is\W+)?(?P<it>\d{2}[- ]\d{2}[- ]\d{2})(?!\d)", _always),
        ("iban", r"\baccount (?:number|no\.?)\W{0,3}(?:is\W+)?(?P<it>\d{8})(?!\d)", _always),
        ("nif", r"\b[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z\d]\d\b", _always),  # CURP
        ("ssn", r"(?<![\w-])(?!000|666|9)\d{3}([-. /])(?!00)\d{2}\1(?!0000)\d{4}(?![\w-])",
         _always),
        ("ssn", r"(?:\bssn\b|social security|seguro social)\W+(?:[a-z]+\W+){0,3}"
         r"(?P<it>(?!000|666|9)\d{3} ?(?!00)\d{2} ?(?!0000)\d{4})(?!\d)", _always),
    )
]  # fmt: skip


_SLIPPED = re.compile(
    r"(?<![\w.+%-])[\w.+-]+(?:@@+[\w-]+(?:[.,]\w+)+|@[\w-]+(?:\.\w+)*,[a-z]{2,4}\b"
    r"|@[\w-]+\.(?:con|cmo|ocm|vom|xom|comm|coom)\b)",
    re.IGNORECASE,
)
"""Addresses as people mistype them: ana@gmail,com, rosa@@empresa.con."""


@functools.lru_cache(maxsize=8)
def _recognizers(region: str) -> list[tuple[str, Any]]:
    """Presidio's pattern recognisers, the surest first; no model and no network."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what spacy and torch remark while they load
        from presidio_analyzer import Pattern
        from presidio_analyzer.predefined_recognizers import (
            CreditCardRecognizer,
            EmailRecognizer,
            EsNieRecognizer,
            EsNifRecognizer,
            IbanRecognizer,
            IpRecognizer,
            PhoneRecognizer,
            UkNinoRecognizer,
            UsSsnRecognizer,
        )
    from tldextract import TLDExtract

    # Without addresses to fetch from it uses the list of endings in its own package.
    domain_of = TLDExtract(suffix_list_urls=(), cache_dir=None)

    class OfflineEmailRecognizer(EmailRecognizer):  # type: ignore[misc, unused-ignore]
        def validate_result(self, pattern_text: str) -> bool:
            return bool(domain_of(pattern_text).suffix)

    dotted = Pattern("NIF", r"\b\d{1,2}\.?\d{3}\.?\d{3}[- ]?[A-Z]\b", 0.5)  # also 12.345.678-Z
    regions = tuple(dict.fromkeys((*_PHONE_REGIONS, *([region] if len(region) == 2 else []))))
    return [
        ("email", OfflineEmailRecognizer()),
        ("iban", IbanRecognizer()),
        ("card", CreditCardRecognizer()),
        ("nif", EsNifRecognizer([dotted], replacement_pairs=[("-", ""), (" ", ""), (".", "")])),
        ("nie", EsNieRecognizer()),
        ("ssn", UsSsnRecognizer()),
        ("nino", UkNinoRecognizer()),
        ("phone", PhoneRecognizer(supported_regions=regions)),
        ("ip", IpRecognizer()),
    ]
