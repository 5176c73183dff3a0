"""What kind of answer a question wants: an amount, a time, a length of time, a contact.

Expected answer types (Li and Roth 2002), by the words that ask for them, in English and Spanish.
A sentence that holds the wanted kind is likelier to answer than its neighbour.
"""

from __future__ import annotations

import re

_UNIT = (
    r"(?:minutes?|hours?|days?|weeks?|months?|years?"
    r"|minutos?|horas?|d[ií]as?|semanas?|mes(?:es)?|años?)"
)
_NUMBER = (
    r"(?:\d+|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|un[oa]?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce)"
)

_TYPES = [
    (re.compile(rf"\b(?:{asks})\b", re.IGNORECASE), re.compile(holds, re.IGNORECASE))
    for asks, holds in (
        (  # an amount of money or a share of it
            r"prices?|costs?|how much|charged?|charges|pay|paying|expensive|fees?|discount|save"
            r"|cu[aá]nto (?:me |os |se )?(?:cuesta|vale|cobr\w+|pag\w+|sale|ser[ií]a)|precio|coste"
            r"|cuesta|vale|cobr[aá]is|cobran|comisi[oó]n|tarifa|pagar?|gratis|importe|m[aá]xim[oa]"
            r"|tope|l[ií]mite",
            r"[£€$%]|\bfree\b|gratuit|gratis",
        ),
        (  # a length of time
            r"how long|how many (?:days|weeks|months|hours|minutes)|how soon|deadline|notice|valid"
            r"|guarantee|warranty|cu[aá]nto (?:tiempo|tarda)|plazo|tardan?|d[ií]as|antelaci[oó]n"
            r"|cu[aá]nt[oa]s (?:d[ií]as|meses|semanas|años)",
            rf"\b{_NUMBER} (?:\w+ )?{_UNIT}\b",
        ),
        (  # a time of day, a day
            r"when|what time|(?:which|what) day|hours|open|opens?|closed?|until|opening"
            r"|cu[aá]ndo|hora|horario|qu[eé] d[ií]a|abr[ií]s|cerr[aá]is",
            r"\b\d{1,2}(?:[.:]\d\d)? ?(?:am|pm|a\.m|p\.m|horas|h)\b|\bnoon\b|\bmediod[ií]a\b"
            r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|lunes|martes|mi[eé]rcoles|jueves|viernes"
            r"|s[aá]bado|domingo|january|december|enero|diciembre",
        ),
        (r"e-?mails?|write to|address|correo|escrib\w+|mando|direcci[oó]n", r"@|\.\w{2,}\b"),
        (
            r"phone|call|ring|telephone|number|tel[eé]fono|llam\w+|n[uú]mero",
            r"\b\d{3}[ -]?\d{3}[ -]?\d{3}\b|\b\d{5} \d{6}\b|\+\d{6,}",
        ),
        (r"how many|cu[aá]nt[oa]s", rf"\b{_NUMBER}\b"),
        (r"interest|rates?|inter[eé]s(?:es)?|tae|tin|porcentaje|rentabilidad", r"%"),
        (r"ages?|old|edad", r"\d+ (?:years|años)|years old|\d+ hasta"),
    )
]

_ASKS = re.compile(
    r"^\W*(?:(?:hi|hello|hey|hola|buenas|oye|perdona)\W+(?:\w+\W+){0,2}?)?"
    r"(?:(?:do|does|did|is|are|was|were|can|could|will|would|have|has) (?:you|i|we|it|there|the"
    r"|your|my|they|u)\b|who|whose|which|where|when|what time|how (?:much|many|long|late|early)"
    r"|hay\b|ten[eé]is|tienen|hac[eé]is|acept[aá]is|d[aá]is|vend[eé]is|se puede|puedo|pod[eé]is"
    r"|qui[eé]n|d[oó]nde|cu[aá]ndo|cu[aá]nt[oa]s?|cu[aá]l|a qu[eé] hora|desde cu[aá]ndo)",
    re.IGNORECASE,
)


_QUESTION = re.compile(
    r"\?\s*$|(?:^|[.,;!]\s*|\b(?:and|so|y|pero) )(?:what|which|how|why|where|when|who|can|could|do"
    r"|does|is|are|qu[eé]|cu[aá]l|c[oó]mo|cu[aá]nt[oa]s?|cu[aá]ndo|d[oó]nde|qui[eé]n|hasta|desde"
    r"|puedo|hay|en qu[eé]|con qu[eé]|a qu[eé])",
    re.IGNORECASE,
)


def is_question(message: str) -> bool:
    """Whether a message asks anything, be it with or without its question mark."""
    return bool(_QUESTION.search(message)) or asks_for_a_fact(message)


def match(question: str, text: str) -> float:
    """The share of the kinds of answer a question wants that a text holds, 0 to 1."""
    wanted = [holds for asks, holds in _TYPES if asks.search(question)]
    return sum(bool(holds.search(text)) for holds in wanted) / len(wanted) if wanted else 0.0


def asks_for_a_fact(message: str) -> bool:
    """Whether a message asks for something that can only be known, not made up in conversation."""
    return bool(_ASKS.search(message)) or any(asks.search(message) for asks, _ in _TYPES)
