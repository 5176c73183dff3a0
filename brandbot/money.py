"""How prices are written: what stands before or behind an amount, as a part of patterns."""

from __future__ import annotations

COIN = (
    r"(?:[£$€¥]|\b(?:EUR|GBP|USD|MXN)\b|(?:euros?|pounds?|quid|libras?|dollars?|d[oó]lares?|pesos?"
    r"|pence|cents?|cts?|c[eé]ntimos?|p)\b(?!\.\s?m))"
)
"""A currency's sign, code or name, in a pattern that ignores case; "5 p.m." is none."""
