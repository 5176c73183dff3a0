"""The replies being written right now, one a browser tab, so that they can be stopped."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

PATIENCE_SECONDS = 10.0
"""How long a new reply waits for one that was told to stop and has not yet."""

LEAVING_SECONDS = 3.0
"""How long a page waits, before it shows something else, for the last words of what it leaves."""


@dataclass
class Signal:
    """``stopped``: write no more. ``left``: and show no more, the reader is somewhere else."""

    stopped: bool = False
    left: bool = False


@dataclass
class Running:
    """Hands out one signal a tab; thread-safe. A tab is Gradio's session hash."""

    _signals: dict[str, Signal] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def begin(self, tab: str) -> Signal | None:
        """The signal that will stop the tab's reply, or None if another is being written."""
        with self._changed:
            self._changed.wait_for(lambda: not self._stopping(tab), PATIENCE_SECONDS)
            if tab in self._signals:
                return None
            signal = self._signals[tab] = Signal()
            return signal

    def stop(self, tab: str, *, left: bool = False) -> None:
        with self._changed:
            signal = self._signals.get(tab)
            if signal is not None:
                signal.stopped = True
                signal.left = signal.left or left

    def wait(self, tab: str) -> None:
        """Waits until nothing is written in a tab, for a while at most."""
        with self._changed:
            self._changed.wait_for(lambda: tab not in self._signals, LEAVING_SECONDS)

    def end(self, tab: str) -> None:
        with self._changed:
            self._signals.pop(tab, None)
            self._changed.notify_all()

    def _stopping(self, tab: str) -> bool:
        signal = self._signals.get(tab)
        return signal is not None and signal.stopped
