"""What was computed before, by the name of everything that decided it: one JSON line each.

A second evaluation, or one that Ctrl-C or a kill stopped, computes only what is missing. The file
may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path
from typing import Any


def key(*parts: Any) -> str:
    """A name for anything JSON can hold."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:24]


class Kept:
    """Values by key in a file of JSON lines. Threads may share it, processes append together."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._values: dict[str, Any] = {}
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.is_file():
            return
        for line in file.read_bytes().split(b"\n"):
            try:
                entry = json.loads(line)
                self._values[entry["key"]] = entry["value"]
            except (ValueError, KeyError, TypeError):  # cut short by a kill
                continue

    def get(self, name: str) -> Any:
        return self._values.get(name)

    def put(self, name: str, value: Any) -> None:
        line = json.dumps({"key": name, "value": value}, ensure_ascii=False) + "\n"
        with self._lock:
            self._values[name] = value
            with self._file.open("a", encoding="utf-8") as stream:
                stream.write(line)
