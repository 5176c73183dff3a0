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
from collections.abc import Iterator
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


# --- Personal data --------------------------------------------------------------------------------

_MAY_BE_PERSONAL = re.compile(
    r"@|\d(?:[\s().:/+-]?\w?\d){5}|\d\.\d+\.\d|[0-9a-fA-F]*:[0-9a-fA-F]*:"
)
_ABOUT_PHONES = re.compile(
    r"\b(?:phone|mobile|cell|call|ring|text|whatsapp|tel|number is|tel[eé]fono|m[oó]vil|celular"
    r"|ll[aá]m\w*|n[uú]mero es)\b",
    re.IGNORECASE,
)
_PHONE_REGIONS = ("ES", "GB", "US")


def personal_data(text: str, region: str = "") -> list[Found]:
    """Patterned personal data in ``text``, each place once, in its order.

    ``region`` is the country of the persona's language tag, ``MX`` for ``es-MX``: its telephone
    numbers are known besides those of Spain, the United Kingdom and the United States. Names and
    postal addresses have no pattern and are not found.
    """
    if not _MAY_BE_PERSONAL.search(text):
        return []
    spans: list[tuple[int, int, str]] = []
    for kind, recognizer in _recognizers(region.upper()):
        for result in recognizer.analyze(text, list(recognizer.supported_entities)):
            value = text[result.start : result.end]
            taken = any(result.start < end and start < result.end for start, end, _ in spans)
            if result.score < 0.3 or taken or not _plausible(kind, value, text, result.start):
                continue
            spans.append((result.start, result.end, kind))
    return [Found(kind, text[start:end]) for start, end, kind in sorted(spans)]


def _plausible(kind: str, value: str, text: str, start: int) -> bool:
    if kind == "phone":
        digits = re.sub(r"\D", "", value)
        if re.fullmatch(r"(19|20)\d\d\D+(19|20)\d\d.*", value) or len(digits) < 9:
            return False  # years
        # A bare run of digits may be an order number, unless it looks or is called otherwise.
        bare = digits == value and not re.fullmatch(r"[67]\d{8}|07\d{9}", value)
        return not bare or bool(_ABOUT_PHONES.search(text[max(0, start - 40) : start]))
    if kind == "ip":
        if value.count(":") < 3 and "." not in value:
            return False
        try:
            return ipaddress.ip_address(value.split("/")[0]).is_global
        except ValueError:
            return False
    return True


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


# --- Secrets --------------------------------------------------------------------------------------

_MAY_BE_SECRET = re.compile(
    r"[\w+/=.:@-]{16}|PRIVATE KEY|PuTTY|passw|contrase|clave|pwd", re.IGNORECASE
)
# Token kinds that detect-secrets has no or too narrow a pattern for.
_TOKENS = re.compile(
    r"xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|\bsk-[\w-]{20,}|\b[rsp]k_(?:live|test)_\w{16,}"
    r"|\bgithub_pat_\w{22,}|\bhf_[A-Za-z0-9]{30,}|\bAIza[\w-]{35}|\bya29\.[\w-]{20,}"
    r"|\bnpm_[A-Za-z0-9]{36}|\bglpat-[\w-]{20,}"
)
_PASSWORD = re.compile(
    r"\b(?:password|passwd|pwd|contraseña|clave)\s*(?:is|es|:|=)\s*[\"'«“]?"
    r"((?=\S*\d)(?=\S*[^\W\d])\S{6,})",
    re.IGNORECASE,
)


def secrets(text: str) -> list[Found]:
    """Keys, tokens and passwords in ``text``; known forms only, entropy says nothing of prose."""
    if not _MAY_BE_SECRET.search(text):
        return []
    values = [(found[0], "token") for found in _TOKENS.finditer(text)]
    for detector in _secret_detectors():
        values += [(value, "token") for value in detector.analyze_string(text)]
    values += [(found[1], "password") for found in _PASSWORD.finditer(text)]
    kept: list[Found] = []
    for value, kind in values:
        if "PRIVATE KEY" in value or "PuTTY" in value:
            kind = "private-key"
        if not any(value in found.value or found.value in value for found in kept):
            kept.append(Found(kind, value))
    return kept


@functools.lru_cache(maxsize=1)
def _secret_detectors() -> list[Any]:
    from detect_secrets.plugins import (
        aws,
        azure_storage_key,
        basic_auth,
        discord,
        gitlab_token,
        jwt,
        mailchimp,
        npm,
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
        _WholeGitHubToken(),
        private_key.PrivateKeyDetector(),
        gitlab_token.GitLabTokenDetector(),
        stripe.StripeDetector(),
        twilio.TwilioKeyDetector(),
        telegram_token.TelegramBotTokenDetector(),
        npm.NpmDetector(),
        pypi_token.PypiTokenDetector(),
        sendgrid.SendGridDetector(),
        square_oauth.SquareOAuthDetector(),
        mailchimp.MailchimpDetector(),
        discord.DiscordBotTokenDetector(),
        basic_auth.BasicAuthDetector(),
        azure_storage_key.AzureStorageKeyDetector(),
    ]


class _WholeGitHubToken:
    """detect-secrets gives a GitHub token's prefix alone (its pattern has a group)."""

    def analyze_string(self, text: str) -> Iterator[str]:
        for found in re.finditer(r"gh[pousr]_[A-Za-z0-9_]{36}", text):
            yield found[0]
