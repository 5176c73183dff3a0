"""Engines turn token ids into text. ``base.py`` holds the protocol, ``open_engine`` chooses one."""

from brandbot.engines.base import Chunk, Engine, Request, open_engine

__all__ = ["Chunk", "Engine", "Request", "open_engine"]
