"""What kind of answer a question wants: an amount, a time, a length of time, a contact.

Expected answer types (Li and Roth 2002), by the words that ask for them, in English and Spanish.
A sentence that holds the wanted kind is likelier to answer than its neighbour.
"""

from __future__ import annotations

import re
import unicodedata

from brandbot.money import COIN

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
            r"|cuesta|cobr[aá]is|cobran|comisi[oó]n|tarifa|pagar?|gratis|importe|m[aá]xim[oa]"
            r"|tope|l[ií]mite",
            rf"[£€$%]|\d\s?{COIN}|\bfree\b|gratuit|gratis",
        ),
        (  # a length of time
            r"how long|how many (?:days|weeks|months|hours|minutes)|how soon|deadline|notice|valid"
            r"|guarantee|warranty|cu[aá]nto (?:tiempo|tarda)|plazo|tardan?|antelaci[oó]n"
            r"|cu[aá]nt[oa]s (?:d[ií]as|meses|semanas|años)",
            rf"\b{_NUMBER} (?:\w+ )?{_UNIT}\b",
        ),
        (  # a time of day, a day
            r"when|what time|(?:which|what) day|hours|open|opens?|closed?|until|opening"
            r"|cu[aá]ndo|hora|horario|qu[eé] d[ií]a|abr[ií]s|cerr[aá]is",
            r"\b\d{1,2}(?:[.:]\d\d)? ?(?:am|pm|a\.m|p\.m|horas|h)\b|\bnoon\b|\bmediod[ií]a\b"
            r"|\b\d{1,2}:\d\d\b|\b(?:mon|tues?|wed|thu|fri|sat|sun|lun|mar|mi[eé]|jue|vie|s[aá]b|dom)\b"
            r"\.?\s?(?:[-–/&]|to\b|a\b|\d)"
            r"|(?:mon|tues|wednes|thurs|fri|satur|sun)day|lunes|martes|mi[eé]rcoles|jueves|viernes"
            r"|s[aá]bado|domingo|january|december|enero|diciembre",
        ),
        (
            r"e-?mails?|write to|address|correo|escrib\w+|mando|direcci[oó]n",
            r"@|\w\.[a-z]{2,}\b|\b(?:street|road|avenue|lane|square|calle|avda|avenida|plaza|paseo)\b",
        ),
        (
            r"phone|call|ring|telephone|number|tel[eé]fono|llam\w+|n[uú]mero",
            r"(?<![\d.,])\+?\d(?:[ ()-]{0,2}\d){8,}|\+\d{6,}",
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
    r"|qui[eé]n|d[oó]nde|cu[aá]ndo|cu[aá]nt[oa]s?|cu[aá]l|a qu[eé] hora|desde cu[aá]ndo"
    r"|(?:may|should|shall|must) (?:i|we)\b"
    r"|(?:don|isn|aren|won|can|doesn)'?t (?:you|i|it|we|there)\b"
    r"|any (?!time|day|way|of)\w+(?: \w+){0,3}\W*$"
    r"|(?:tienes?|abren?|cierran|aceptan|admiten|env[ií]an)\b(?! raz[oó]n)"
    r"|(?:es|est[aá]n?) (?:gratis|abiert[oa]s?)\b)",
    re.IGNORECASE,
)


_QUESTION = re.compile(
    # a question mark; a word that asks, at the beginning of a sentence or after a preposition
    r"\?|(?:^\W{0,20}|[.,;!]\s{0,20}|\b(?:and|so|y|pero) )"
    r"(?:(?:on|in|to|of|with|under|after) (?:what|which|whom|whose)(?! case)"
    r"|(?:what|how|where|who)'?s?|which|why|when|can(?! (?:recommend|confirm)\b)|could|do|does"
    r"|is|are|q|qu[eé]|cu[aá]l|c[oó]mo"
    r"|cu[aá]nt[oa]s?|cu[aá]ndo|a?d[oó]nde|qui[eé]n|hasta|desde|puedo|hay)\b"
    r"|\b(?:(?:till?|until|by|from|since|at|for) (?:when|what|which)"
    r"|(?:a|en|de|con|por|para|desde|hasta|partir de) (?:q|qu[eé]|cu[aá]l|cu[aá]nt[oa]s?|cu[aá]ndo)"
    r"|q(?:ue)? (?:comisi[oó]n|cuesta|inter[eé]s|porcentaje|l[ií]mite|precio|cantidad|plazo)"
    # or somebody says that they ask
    r"|tell me (?:what|when|where|how|who|which|about|if|more|your|the)"
    r"|(?:want|need|like|love) to know|need info\w*|looking for"
    r"|(?:dime|d[ií]game|me (?:dices|das)) (?:qu[eé]|cu[aá]\w+|c[oó]mo|d[oó]nde|si|el|l[ao]s?|tus?)"
    r"|(?:quiero|quisiera|quer[ií]a|querr[ií]a|necesito|desear[ií]a|gustar[ií]a)"
    r" (?:saber|conocer|informaci[oó]n)|busco)\b",
    re.IGNORECASE,
)

# "de qué es", "a partir de qué es" ask for something else.
_NO_PREPOSITION = "".join(
    rf"(?<!\b{word} )" for word in ("de", "a", "en", "con", "por", "para", "desde", "hasta")
)
_TELLS = re.compile(  # "when I came in yesterday the coffee was cold"
    r"(?:^|\b(?:and|but|so|y|pero)\b|[.,;!])\W{0,20}(?:when|where|which) (?:i|we|my|is why)\b"
    r"(?!.*\b(?:how|what|do|does|can|could|will|is there|are there)\b)"
    r"|(?:^|\b(?:y|pero)\b|[.,;!])\W{0,20}(?:cuando|donde) (?:yo |me |nos |os |ya )?(?:vine|vinimos"
    r"|fui|fuimos|llegu[eé]|llegamos|ped[ií]|pedimos|compr[eé]|compramos|entr[eé]|entramos|estuve"
    r"|estuvimos|llam[eé]|llamamos|pregunt[eé]|preguntamos|recib[ií]|recibimos|abr[ií])\b",
    re.IGNORECASE,
)

_DEFINITION = re.compile(
    # "que es" without its accent asks only where a sentence begins, or after who wants to know
    rf"(?:{_NO_PREPOSITION}\bqué"
    r"|\b(?:idea|dudas?|acuerd\w+|habl\w+|inform\w+|enter\w+|lo) (?:de|sobre) qué|(?:^|[.!?¿:;]"
    r"|\b(?:explic\w+|decir(?:me)?|dime|saber|sabes|entiendo|sé|eso))\W{0,20}\bq(?:ue)?)"
    r" (?:significan?\W+|quiere decir\W+|(?:es|son)\W+(?!(?:sin|gratis|gratuit[oa]s?|necesari[oa]s?"
    r"|obligatori[oa]s?|imprescindibles?|importantes?|posible|recomendable|vegan[oa]s?)\b))"
    r"(?!(?:lo|mejor|peor|más|mas|menos)\b)"
    r"(?P<es>[^.,;?!]{2,60}?)(?= y |[.,;?!]|$)"
    r"|\bwhat do(?:es)? (?P<en>[^.,;?!]{2,60}?) (?:mean|stand for)\b",
    re.IGNORECASE,
)

_ENDS = r"(?=\s*(?:[?!.,;]|$))"
HELLO = (
    r"good (?:morning|afternoon|evening|day)|buen(?:os d[ií]as| d[ií]a|as(?: tardes| noches)?)"
    r"|(?:hi|hello|hey)(?: (?:there|all|everyone))?|hola|(?:un )?saludos?"
    r"|(?:how are (?:you|things)|how's it going|what's up"
    rf"|c[oó]mo (?:est[aá](?:is|s|n)?|te va|va)|qu[eé] (?:tal|onda)){_ENDS}"
)
THANKS = (
    r"(?:many |so )?thank(?:s| you)(?: (?:so|very) much| a lot| a million| again)?|cheers"
    r"|obrigad[oa]|gr[aà]cies|(?:muchas |mil )?gracias|(?:muy|qu[eé]) amable"
    r"|for (?:the|your|all your) help|por (?:la|tu|su|vuestra|toda la) ayuda"
    r"|por (?:todo|la informaci[oó]n)"
)
GOODBYE = (
    r"(?:good)?bye|good night|see you(?: soon| later)?(?=\W*$)|take care"
    r"|have a (?:nice|good|lovely) (?:day|one|evening|weekend)|adi[oó]s|chao|chau|nos vemos"
    r"|hasta (?:luego|pronto|mañana|la vista)"
)
"""Words that greet, thank and take leave; some of them only where a sentence ends."""
_COURTESY = re.compile(
    rf"\b(?:{HELLO}|{THANKS}|{GOODBYE}"
    r"|ok(?:ay|i)?|perfect[oa]?|great|lovely|nice|cool|brilliant|got it|i see|please"
    r"|no (?:problem|worries)|never mind|vale|de acuerdo|genial|estupendo|de nada|entendido|claro"
    rf"|por favor|pues|(?:dale|listo|[oó]rale|[aá]ndale){_ENDS})\b",
    re.IGNORECASE,
)

_STATES = re.compile(
    r"\b(?:i|we|you|he|she|they|it|that|this|here|is|yo|me|nos|te|se|es|son|est[aá]n?|ha)\b",
    re.IGNORECASE,
)

TERSE = 6
"""Words up to which a message that states nothing is a search: "price large latte"."""


def is_question(message: str) -> bool:
    """Whether a message asks anything, be it with or without its question mark."""
    said = _asking(message)
    return bool(_QUESTION.search(said)) or asks_for_a_fact(message)


def is_courtesy(message: str) -> bool:
    """Whether a message only greets, thanks, agrees or takes leave."""
    return not re.search(r"\w", re.sub(r"\b(?:and|but|y|pero)\b", "", _matter(message)))


def defined(message: str) -> str:
    """What a message wants explained ("what does X mean", "qué es X"); empty if nothing.

    Nothing, too, where it asks for an amount, a time or another such answer besides.
    """
    said = _matter(message)
    found = _DEFINITION.search(said)
    if not found:
        return ""
    besides = f"{said[: found.start()]} {said[found.end() :]}"
    return "" if _kinds(besides) else (found["es"] or found["en"]).strip()


def explains(text: str) -> bool:
    """Whether a fact says more than figures: three words of four letters beside them."""
    return len(re.findall(r"[^\W\d_]{4,}", text)) >= 3


def match(question: str, text: str) -> float:
    """The share of the kinds of answer a question wants that a text holds, 0 to 1."""
    wanted = _kinds(question)
    return sum(bool(holds.search(text)) for holds in wanted) / len(wanted) if wanted else 0.0


def asks_for_a_fact(message: str) -> bool:
    """Whether a message asks for something that can only be known, not made up in conversation.

    The words for a kind of answer count in questions, and in a few words that state nothing: "I'll
    call you about the price" asks for neither.
    """
    said = _asking(message)
    if defined(message):
        return False
    if _ASKS.search(said):
        return True
    terse = len(re.findall(r"\w+", said)) <= TERSE and not _STATES.search(said)
    return (terse or bool(_QUESTION.search(said))) and bool(_kinds(said))


def _kinds(text: str) -> list[re.Pattern[str]]:
    """What holds an answer of each kind that a text asks for."""
    return [holds for asks, holds in _TYPES if asks.search(text)]


def typed(message: str) -> str:
    """A message as a keyboard types it: telephones write it’s, some systems take accents apart."""
    return unicodedata.normalize("NFC", message).replace("’", "'")


def _matter(message: str) -> str:
    """A message without its courtesies."""
    return _COURTESY.sub(" ", typed(message)).strip(" ,.;!¡")


def _asking(message: str) -> str:
    """What of it may ask: not the "when" of who tells when it was."""
    said = _matter(message)
    return said if "?" in said else _TELLS.sub(" ", said)
