"""Serving the studio: one address, this machine unless told otherwise, nothing shared."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Sequence

import gradio as gr
from starlette.routing import BaseRoute

from brandbot import AdapterStore, Bot, BrandbotError, Review
from connectors.studio.app import I18N, build
from connectors.studio.page import BEHIND_PROXY, is_local, middleware
from connectors.studio.theme import SCRIPT, STYLE, theme

log = logging.getLogger("brandbot.studio")


def serve(
    bot: Bot,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    open_browser: bool = False,
    routes: Sequence[BaseRoute] = (),
) -> None:
    """Serves the studio, and ``routes`` beside it, until Ctrl-C.

    BrandbotError if the port is taken.
    """
    blocks = start(bot, host=host, port=port, open_browser=open_browser)
    blocks.app.router.routes[:0] = routes
    print(f"brandbot studio: {blocks.local_url}  (Ctrl-C stops it)", flush=True)
    if not is_local(host) and os.environ.get(BEHIND_PROXY) != "1":
        print(
            f"Whoever reaches {host}:{port} can chat, see what was said, review and approve: the "
            f"studio has no login. Put one in front, and set {BEHIND_PROXY}=1.",
            flush=True,
        )
    _warm(bot)
    try:
        blocks.block_thread()
    finally:
        blocks.close(verbose=False)


def start(
    bot: Bot, *, host: str = "127.0.0.1", port: int = 7860, open_browser: bool = False
) -> gr.Blocks:
    """Serves the studio from threads of its own and returns at once; ``close()`` ends it."""
    _claim(host, port)
    blocks = build(bot)
    try:
        blocks.launch(
            server_name=host,
            server_port=port,
            inbrowser=open_browser,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            show_error=False,
            footer_links=[],
            run_history=False,
            allowed_paths=[],
            max_file_size="1kb",
            enable_monitoring=False,
            ssr_mode=False,
            pwa=False,
            mcp_server=False,
            i18n=I18N,
            theme=theme(),
            css_paths=STYLE,
            js=SCRIPT.read_text(encoding="utf-8"),
            app_kwargs=middleware(),
        )
    except OSError as error:  # somebody took it in between
        raise _taken(host, port) from error
    return blocks


def _claim(host: str, port: int) -> None:
    """Says in a sentence what Gradio would say in a traceback."""
    try:
        family = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)[0][0]
    except (OSError, UnicodeError) as error:
        raise BrandbotError(
            f"{host} is no address of this machine. Serve on 127.0.0.1 (this machine alone), or on "
            "0.0.0.0 (all its addresses)."
        ) from error
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except (OSError, OverflowError) as error:
            raise _taken(host, port) from error


def _taken(host: str, port: int) -> BrandbotError:
    return BrandbotError(
        f"Port {port} on {host} can't be used: another program has it, or it isn't allowed. "
        f"Choose another, for example: brandbot serve --port {port + 1 if port < 65535 else 7860}"
    )


def _warm(bot: Bot) -> None:
    """Loads what serves the brands while the page opens, so that the first reply need not wait, and
    what finds personal data, so that the first review need not.

    Brands that were never trained wait until somebody talks to them, unless there are no others.
    """

    def work() -> None:
        names = bot.workspace.persona_names()
        for name in [name for name in names if _is_trained(bot, name)] or names[:1]:
            try:
                bot.warm(name)
                Review(bot.workspace, bot.log, name).queue(1)
            except Exception as error:  # noqa: BLE001  # the page says what is wrong with it
                log.info("%s could not be loaded ahead: %s", name, error)

    threading.Thread(target=work, name="warm", daemon=True).start()


def _is_trained(bot: Bot, name: str) -> bool:
    try:
        return AdapterStore(bot.workspace.adapters(name)).live_number() is not None
    except BrandbotError:
        return False
