"""The page around Gradio's: its language, and the headers that keep it to itself.

Gradio translates by ``navigator.language`` alone. The page is therefore told its language before
Gradio starts: the one chosen with the switch (``?lang=es``, kept in a cookie), else the browser's.
"""

from __future__ import annotations

import os
import re
import socket
from contextlib import suppress
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

import gradio as gr
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from connectors.studio.texts import LANGUAGES, choose, say

COOKIE = "brandbot-language"
TASTE = "taste"
"""Where the taste test lies."""
SEARCH = "search"
"""Where the documents are searched."""
REVIEW = "review"
"""Where conversations are reviewed."""

# Gradio starts from inline scripts, compiles its own templates and inlines styles; what matters is
# that nothing is fetched from, or sent to, another host, and that no other site may frame the page.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


def language_of(request: gr.Request) -> str:
    """The language of a page's event."""
    return choose(request.cookies.get(COOKIE), request.headers.get("accept-language"))


def tab_of(request: gr.Request) -> str:
    """The browser tab an event comes from."""
    return request.session_hash or ""


BEHIND_PROXY = "BRANDBOT_BEHIND_PROXY"
"""Set to 1 by whoever put a login before the studio."""
FOR_EVERYBODY = ("/slack/events",)
"""Addresses that check by themselves who calls."""
FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def is_foreign(scope: Scope) -> bool:
    """Whether a request came from elsewhere to the studio, which has no login of its own.

    Through a proxy; or by another name than this machine's own, as from a page whose address was
    made to mean this machine (DNS rebinding).
    """
    if scope["path"] in FOR_EVERYBODY or os.environ.get(BEHIND_PROXY) == "1":
        return False
    headers = Headers(scope=scope)
    if any(name in headers for name in FORWARDED):
        return True
    served, asked = (scope.get("server") or ("",))[0], _host(f"//{headers.get('host', '')}")
    return not is_local(asked) and (is_local(served) or not _is_own(asked))


def is_cross(scope: Scope) -> bool:
    """Whether another site's page sent a request: it must not act in its visitor's name."""
    if scope["path"] in FOR_EVERYBODY:
        return False
    headers = Headers(scope=scope)
    origin = headers.get("origin")
    if origin is not None:
        return origin.lower().partition("://")[2] != headers.get("host", "").lower()
    return headers.get("sec-fetch-site") == "cross-site" and not (
        headers.get("sec-fetch-mode") == "navigate" and scope["method"] == "GET"
    )


def refusal(scope: Scope) -> str:
    """Why a request is not served; empty if it is."""
    if is_foreign(scope):
        return (
            "The studio has no login: call it by localhost, or by this machine's name or address, "
            "and forward /slack/events alone. "
            f"If your proxy asks people to log in, set {BEHIND_PROXY}=1."
        )
    if scope["path"].startswith("/gradio_api/upload"):
        return "The studio takes no files."
    if is_cross(scope):
        headers = Headers(scope=scope)
        return (
            f"A page of another site ({headers.get('origin', 'unknown')}) called the studio, "
            f"which is served as {headers.get('host', '')}. If they are one, let your proxy pass "
            "the Host header on."
        )
    return ""


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_own(name: str) -> bool:
    """Whether a name is this machine's, or an address, which nobody can make mean another."""
    with suppress(ValueError):
        return bool(ip_address(name))
    return name.removesuffix(".local") == socket.gethostname().lower().removesuffix(".local")


def is_local(name: str) -> bool:
    """Whether a host name or address means this machine alone."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


class PageFrame:
    """ASGI middleware: adds ``HEADERS`` to every answer, and its language to the page.

    What comes from elsewhere is refused, see ``refusal``.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        asked = parse_qs(scope["query_string"].decode("latin-1")).get("lang", [""])[0]
        headers = Headers(scope=scope)
        reason = refusal(scope)
        if reason:
            await PlainTextResponse(f"{reason}\n", 403)(scope, receive, send)
            return
        cookie = cookie_parser(headers.get("cookie", "")).get(COOKIE)
        switched = asked if asked in LANGUAGES else None
        language = choose(switched or cookie, headers.get("accept-language"))
        held: Message | None = None
        body = b""

        async def framed(message: Message) -> None:
            nonlocal held, body
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer.update(HEADERS)
                if answer.get("content-type", "").startswith("text/html"):
                    if switched:
                        answer.append(
                            "set-cookie",
                            f"{COOKIE}={switched}; Path=/; Max-Age=31536000; SameSite=Lax",
                        )
                    held = message
                    return
            elif held is not None:
                body += message.get("body", b"")
                if message.get("more_body"):
                    return
                page = in_language(body, language)
                MutableHeaders(scope=held)["content-length"] = str(len(page))
                await send(held)
                message = {"type": "http.response.body", "body": page}
            await send(message)

        await self.app(scope, receive, framed)


def in_language(page: bytes, language: str) -> bytes:
    """Gradio's page, told its language, without the tags that advertise Gradio."""
    script = (
        f"<script>for (const key of ['language', 'languages']) Object.defineProperty(navigator, "
        f"key, {{get: () => key === 'language' ? '{language}' : ['{language}']}});</script>"
    )
    page = re.sub(rb'\s*<meta\s+(?:property="og:|name="twitter:)[^>]*>', b"", page)
    page = re.sub(rb'(<html\s+lang=)"[^"]*"', rf'\1"{language}"'.encode(), page, count=1)
    return page.replace(b"<head>", b"<head>" + script.encode(), 1)


def links(language: str, here: str) -> str:
    """Links to each page of the studio, and to this one (its path) in each language, as HTML."""
    pages = "".join(
        f'<a href="./{path}"{" aria-current=page" if path == here else ""}>{name}</a>'
        for path, name in (
            ("", say(language, "chat")),
            (SEARCH, say(language, "search")),
            (TASTE, say(language, "taste")),
            (REVIEW, say(language, "review")),
        )
    )
    languages = "".join(
        f'<a href="?lang={code}" lang="{code}" hreflang="{code}"'
        f"{' aria-current=true' if code == language else ''}>{name}</a>"
        for code, name in LANGUAGES.items()
    )
    return (
        f'<nav aria-label="{say(language, "pages")}">{pages}</nav>'
        f'<nav aria-label="{say(language, "language")}">{languages}</nav>'
    )


def middleware() -> dict[str, Any]:
    """Arguments for Gradio's FastAPI application."""
    from starlette.middleware import Middleware

    return {"middleware": [Middleware(PageFrame)], "docs_url": None, "redoc_url": None,
            "openapi_url": None}  # fmt: skip
