"""The web studio: a chat with every brand of a workspace, and a blind taste test of its versions,
in English and Spanish. Gradio.

``build(bot)`` makes the page, ``serve(bot)`` serves it. Nothing is loaded from, or told to, any
other machine.
"""

from __future__ import annotations

import os

# Gradio reads it when it is imported.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"

from connectors.studio.app import build
from connectors.studio.server import serve, start

__all__ = ["build", "serve", "start"]
