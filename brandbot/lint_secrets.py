"""Keys, tokens and passwords in one text, found by their form. Part of ``lint_privacy``.

Known forms only: how random a word looks says nothing of prose. Nothing is sent anywhere.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Found:
    """``kind`` names an entry of ``texts.WORDS``; ``value`` is what stands in the text."""

    kind: str
    value: str

    @property
    def hint(self) -> str:
        """Enough to find it in the file, too little to spread it: four characters, or two."""
        return self.value[: 4 if len(self.value) > 8 else 2] + "…"


_MAY_BE_SECRET = re.compile(
    r"[\w+/=.:@~-]{16}|PRIVATE KEY|PuTTY|pass|contrase|clave|pwd|\b(?:pw|pin|cvv|cvc)\b|secret"
    r"|token|key",
    re.IGNORECASE,
)

# Token kinds that detect-secrets has no, or too narrow, a pattern for.
_FORMS = (
    r"xox[a-z](?:\.xox[a-z])?-[\w-]{10,}",  # Slack
    r"\bxapp-[\w-]{10,}",
    r"https://hooks\.slack\.com/(?:services|workflows|triggers)/[\w/-]+",
    r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d+/[\w-]+",
    r"\b[A-Za-z\d_-]{23,28}\.[\w-]{6}\.[\w-]{27,38}\b",  # Discord
    r"\bsk-[\w-]{20,}",  # OpenAI, Anthropic, OpenRouter
    r"\b(?:gsk|xai|pplx|r8|fw|csk|nvapi|tvly)[_-][\w-]{20,}",  # Groq, xAI, Perplexity, Replicate …
    r"\bgh[pousr]_\w{36,}|\bgithub_pat_\w{22,}",
    r"\bgl(?:pat|ptt|dt|rt|ft|soat|cbt|imt|agent|oas|ffct)-[\w.-]{20,}",  # GitLab
    r"\bhf_[A-Za-z0-9]{30,}|\bapi_org_[A-Za-z0-9]{30,}",  # Hugging Face
    r"\bAIza[\w-]{35}|\bya29\.[\w.-]{20,}|\bGOCSPX-[\w-]{20,}|\b1//0[\w-]{30,}",  # Google
    r"\b(?:A3T[A-Z0-9]|ABIA|ACCA|AKIA|ASIA)[0-9A-Z]{16}\b",  # Amazon; its secret keys are below
    r"(?<![\w+/=.:-])(?=[\w+/]*\d)(?=[\w+/]*[a-z])(?=[\w+/]*[A-Z])[A-Za-z0-9+/]{40}(?![\w+/=-])",
    r"\b[rsp]k_(?:live|test)_\w{16,}|\bwhsec_[\w+/=]{20,}",  # Stripe
    r"\b(?:AC|SK)[a-f0-9]{32}\b",  # Twilio
    r"\b\d{8,10}:[\w-]{34,36}(?![\w-])",  # Telegram
    r"\bnpm_[A-Za-z0-9]{36}|\bpypi-[\w-]{50,}|\brubygems_[a-f0-9]{48}|\bcio[A-Za-z0-9]{32}\b",
    r"\bdckr_pat_[\w-]{20,}|\bSG\.[\w-]{16,32}\.[\w-]{16,64}|\bkey-[a-f0-9]{32}\b",
    r"\b[0-9a-f]{32}-us\d{1,2}\b",  # Mailchimp
    r"\b(?:AccountKey|SharedAccessKey|sig)=[\w+/%-]{40,}=*|\b[\w~.]{3}\dQ~[\w~.-]{31,34}",  # Azure
    r"(?<![\w+/])[A-Za-z0-9+/]{86}==|(?<![\w+/])[A-Za-z0-9+/]{43}=(?![\w=])",
    r"\bEAA[A-Za-z0-9]{40,}|\bsq0[a-z]{3}-[\w-]{22,}|\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
    r"\b(?:dop|doo|dor)_v1_[a-f0-9]{64}|\blin_api_\w{40}|\b(?:secret|ntn)_[A-Za-z0-9]{40,}",
    r"\b(?:PMAK|NRAK|HRKU|ATATT3|ATBB|ATCTT3|dapi|figd_|sntry[su]_|glsa_|pscale_\w+_|hvs\.|dp\.pt\.)"
    r"[\w.=-]{24,}",
    r"\bpat[A-Za-z0-9]{14}\.[a-f0-9]{64}|\bsk\.eyJ[\w.-]{20,}|\bAGE-SECRET-KEY-1[A-Z0-9]{58}",
    r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]+)*",  # JSON Web Tokens
)
_TOKENS = re.compile("|".join(_FORMS))
_BEARER = re.compile(r"\bBearer\s+((?=\S*\d)[\w.~+/-]{16,}=*)", re.IGNORECASE)
_IN_URL = re.compile(r"://[^\s:/@\[]*:([^\s/\[][^\s/]*)@(?=[\w.-])")
_PIN = re.compile(
    r"\b(?:pin|cvv|cvc)\b\W{0,3}(?:is|es|code|c[oó]digo)?\W{0,3}(\d{3,6})"
    r"(?![\d.,%]|\s+(?:unidades|uds|units|piezas|pieces|pcs)\b)",
    re.IGNORECASE,
)
_PHRASE = re.compile(r"[a-z\d]+(?:-[a-z]+)+")
"""Words with hyphens between them: prose, not a key."""
_NONE = frozenset(
    [
        "none", "ninguna", "ninguno", "forgotten", "olvidada", "unknown", "same", "n/a", "ayuda",
        "help", "socorro", "opcional", "optional", "obligatoria", "required",
    ]
)  # fmt: skip
_IS = r"[\"'»”*`_]*\s*(?:is now|is|es ahora|es|are|son|:|=>|=|->|→)[\s:]*[\"'«“*`_]*"
_KEY = re.compile(
    r"(?:\b|_)(?:(?:api|access|secret|auth|account|signing)[ _-]?(?:key|token|secret)|token|secret"
    r"|(?:client|app)[ _-]?secret|clave (?:de )?(?:la )?api|secreto|key)" + _IS +
    r"((?=\S*\d)(?=\S*[^\W\d])[\w+/=.~%-]{16,})",
    re.IGNORECASE,
)  # fmt: skip
_OF = r"(?: (?:for|of|to|para|de|del)(?: \w+){1,3})?[\"'»”*`]*\s*"
_SURELY = r"(?:\b|_)(?:password|passwd|passphrase|pwd|contrase(?:ñ|n|nn)a|clave de acceso)" + _OF
_PERHAPS = r"(?:\b|_)(?:passcode|pass|pw|clave)" + _OF
# What follows may as well be prose (the password is long; Wi-Fi password: printed on the receipt):
# it needs a digit or a sign, unless it stands alone after a colon.
_MIXED = r"[\s:]*[\"'«“*`]*((?=\S*[\d!#$%&*+@^~])(?![\[{<])\S{5,})"
_PASSWORD = re.compile(
    rf"{_SURELY}(?:(?:is now|is|es ahora|es|=>|->|→|[:=]){_MIXED}"
    r"|(?:=>|->|→|[:=])[ \t]*[\"'«“*`]*(?![\[{<*])(\S{4,})(?=[ \t]*(?:[\r\n]|\Z))"
    r"|\s((?=\S*\d)(?=\S*[^\W\d])[^\s\[]{6,}))"
    rf"|{_PERHAPS}(?:is|es|=>|->|→|[:=]){_MIXED}",
    re.IGNORECASE,
)


def secrets(text: str) -> list[Found]:
    """Keys, tokens and passwords in ``text``, in no order; of what overlaps, the longest."""
    if not _MAY_BE_SECRET.search(text):
        return []
    values = [(found[0], "token") for found in _TOKENS.finditer(text)]
    values += [(found[1], "token") for found in _BEARER.finditer(text)]
    values += [(found[1], "token") for found in _KEY.finditer(text)
               if not _PHRASE.fullmatch(found[1].rstrip(".,;:!?"))]  # fmt: skip
    values += [(found[1], "password") for found in _PIN.finditer(text)]
    values += [(found[1], "password") for found in _IN_URL.finditer(text)]
    for detector in _secret_detectors():
        values += [(value, "token") for value in detector.analyze_string(text)]
    values += [
        (value, "password") for found in _PASSWORD.finditer(text)
        if (value := _password(found)) is not None
    ]  # fmt: skip
    kept: list[Found] = []
    for value, kind in sorted(values, key=lambda one: -len(one[0])):
        if "PRIVATE KEY" in value or "PuTTY" in value:
            kind = "private-key"
        if not any(value in found.value for found in kept):
            kept.append(Found(kind, value))
    return kept


def _password(found: re.Match[str]) -> str | None:
    """What ``_PASSWORD`` found, unless it is a price or an ordinary word with its punctuation."""
    after_is, alone, _, perhaps = found.groups()
    value = str(next(filter(None, found.groups())))
    bare = value.strip(".,;:!?¡¿()\"'«»“”*`")
    digit, letter = any(c.isdigit() for c in bare), any(c.isalpha() for c in bare)
    if not bare or bare[0] in "£€$" or bare.casefold() in _NONE:
        return None
    line = found.string[: found.start()].rsplit("\n", 1)[-1]
    arrows = alone and re.search("[>→]", line) and re.search("[>→]", found[0])
    if arrows and not re.search(r"[\d!#$%&*+@^~]", bare):
        return None  # the next part of a menu
    if perhaps and not (digit and letter):
        return None
    if after_is and not alone and not (digit or re.search(r"[#$%&*+@^~!]", bare)):
        return None
    return value


@functools.lru_cache(maxsize=1)
def _secret_detectors() -> list[Any]:
    from detect_secrets.plugins import (
        aws,
        azure_storage_key,
        discord,
        gitlab_token,
        jwt,
        mailchimp,
        private_key,
        pypi_token,
        sendgrid,
        slack,
        square_oauth,
        stripe,
        telegram_token,
        twilio,
    )

    return [
        slack.SlackDetector(),
        aws.AWSKeyDetector(),
        jwt.JwtTokenDetector(),
        private_key.PrivateKeyDetector(),
        gitlab_token.GitLabTokenDetector(),
        stripe.StripeDetector(),
        twilio.TwilioKeyDetector(),
        telegram_token.TelegramBotTokenDetector(),
        pypi_token.PypiTokenDetector(),
        sendgrid.SendGridDetector(),
        square_oauth.SquareOAuthDetector(),
        mailchimp.MailchimpDetector(),
        discord.DiscordBotTokenDetector(),
        azure_storage_key.AzureStorageKeyDetector(),
    ]
