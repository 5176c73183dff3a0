"""One reply in Slack while it grows.

It streams as Slack streams natively (chat.startStream). Where that can't be, because there is no
right to or the stream expired or broke, the message grows by chat.update. Whatever happened on the
way, the message is whole in the end. Text is Markdown, and always the whole of it so far.
"""

from __future__ import annotations

import http.client
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from connectors.slack.mrkdwn import markdown, write
from connectors.slack.split import split

PART = 11_000
"""Characters a message holds; Slack's limit for Markdown is 12,000, sources and marks included."""

FALLBACK_TEXT = 3_000
"""Characters of the plain text beside the blocks, which notifications show."""

STREAM_SECONDS, UPDATE_SECONDS = 0.7, 1.2
"""Pauses between two changes: Slack allows about 100 appends and 50 updates a minute."""

AWAY = (OSError, http.client.HTTPException)
"""What a call ends in when Slack can't be reached, or its answer got lost."""
TROUBLE = (SlackClientError, *AWAY)
"""What a call to Slack can end in."""

UNWELL = (
    "fatal_error", "internal_error", "message_limit_exceeded", "rate_limited", "ratelimited",
    "request_timeout", "service_unavailable",
)  # fmt: skip
"""What Slack answers when the same call may well succeed in a while."""

PAGE = "no answer that can be read"
"""The reason where Slack, or something before it, answered with no JSON."""

log = logging.getLogger("brandbot.slack")


@dataclass(frozen=True)
class Where:
    """A thread, and whom the reply is for: Slack asks for both when streaming in channels."""

    channel: str
    thread: str
    team: str
    user: str


class Writer:
    """Writes one reply. ``posted`` is told the names (ts) of its messages before any more is done.

    ``find`` looks for a message of ours in the thread that nobody remembers: after a call whose
    answer got lost, Slack may have done what was asked.
    """

    def __init__(
        self,
        client: WebClient,
        where: Where,
        *,
        posted: Callable[[str], None] = lambda _ts: None,
        find: Callable[[], str | None] = lambda: None,
        names: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._where = client, where
        self._posted, self._find, self._clock = posted, find, clock
        self._names: list[str] = names.split(",") if names else []
        self._streams = bool(self._names)  # one that was left in the middle may still do
        self.shown = False
        self.stopped = False  # by the reader, who wants no more of it
        self._sent = ""
        self._last = float("-inf")

    @property
    def ts(self) -> str | None:
        """The reply's first message, once there is one."""
        return self._names[0] if self._names else None

    def adopt(self, ts: str | None) -> None:
        """Takes up a message that was left in the middle, if there is one."""
        if ts is not None:
            self._names, self._streams = [ts], True

    def grow(self, text: str) -> bool:
        """Shows the text so far, if it is time to; False once the reader has stopped the reply.

        Raises nothing of Slack's: the end puts all right.
        """
        # Up to a space, so that nothing that means something to Slack is sent in halves.
        ready = text[: max(text.rfind(" "), text.rfind("\n")) + 1].rstrip()
        pause = STREAM_SECONDS if self._streams else UPDATE_SECONDS
        if (
            not ready.strip()
            or len(ready) > PART
            or len(ready) <= len(self._sent)
            or self._clock() - self._last < pause
        ):
            return not self.stopped
        try:
            if self.ts is None:
                self._start(ready)
            elif self._streams and self._sent:
                self._append(ready)
            else:
                self._rewrite(ready)
            self._sent = ready
        except TROUBLE as error:
            log.info("A reply could not be shown while it grew: %s", reason(error))
        self._last = self._clock()
        return not self.stopped

    def end(self, text: str, blocks: Sequence[dict[str, Any]] = ()) -> str:
        """Writes the whole text, however much of it was shown before; ``blocks`` come below it.

        What the reader stopped is left as it stands. Returns the first message's name. Raises what
        ``TROUBLE`` lists if Slack can't be told.
        """
        first, *rest = split(text, PART)
        below = () if rest else blocks
        if not self._stop(first, below) and not self.stopped:
            self._whole(first, below)
        self.shown = True
        if self.stopped:
            rest = []
        for place, part in enumerate(rest, 1):
            content = _content(part, blocks if place == len(rest) else ())
            if place < len(self._names):  # posted before this process took over
                self._client.chat_update(
                    channel=self._where.channel, ts=self._names[place], **content
                )
                continue
            self._post(content)
        assert self.ts is not None
        return self.ts

    def _start(self, text: str) -> None:
        try:
            answer = self._client.chat_startStream(
                channel=self._where.channel,
                thread_ts=self._where.thread,
                recipient_team_id=self._where.team,
                recipient_user_id=self._where.user,
                markdown_text=markdown(text),
            )
            self._streams = True
            self._name(answer["ts"])
        except TROUBLE as error:
            if not passing(error):
                log.info("No native stream, so the message is updated: %s", reason(error))
                self._post(_content(text))
                return
            found = self._find()  # perhaps it began, and nobody heard of it
            if found is None:
                self._post(_content(text))
                return
            self._streams = True
            self._name(found)
            self._rewrite(text)

    def _append(self, text: str) -> None:
        try:
            self._client.chat_appendStream(
                channel=self._where.channel, ts=self.ts or "",
                markdown_text=markdown(text[len(self._sent) :]),
            )  # fmt: skip
        except TROUBLE as error:
            # What was appended or not is unknown: from here on the whole text is written.
            log.info("The stream broke, so the message is updated: %s", reason(error))
            self._hear(error)
            self._rewrite(text)

    def _stop(self, text: str, blocks: Sequence[dict[str, Any]]) -> bool:
        """Ends the stream with what is missing; False if the message must be written whole."""
        if not self._streams:
            return False
        if not self._sent or not text.startswith(self._sent):
            self._break()
            return False
        missing = markdown(text[len(self._sent) :])
        extra = {"blocks": list(blocks)} if blocks else {}
        try:
            self._client.chat_stopStream(
                channel=self._where.channel, ts=self.ts or "",
                markdown_text=missing or None, **extra,
            )  # fmt: skip
            return True
        except TROUBLE as error:
            log.info("The stream could not be ended, so it is written whole: %s", reason(error))
            self._break()
            return False

    def _break(self) -> None:
        """Leaves the stream behind; a message that still streams can't be updated.

        Raises what ``TROUBLE`` lists if Slack can't be told: then it may stream still.
        """
        self._sent = ""
        for last in (False, True):
            if not self._streams:
                return
            try:
                self._client.chat_stopStream(channel=self._where.channel, ts=self.ts or "")
                self._streams = False
            except TROUBLE as error:
                self._hear(error)
                if not passing(error):
                    self._streams = False  # it has ended already, or is gone
                elif last:
                    raise

    def _hear(self, error: BaseException) -> None:
        """Slack says it once, at whatever call comes first."""
        self.stopped |= reason(error) == "stopped_by_user"

    def _rewrite(self, text: str) -> None:
        """The message as an update of the whole; what the reader stopped is left alone."""
        self._break()
        if not self.stopped:
            self._update(text)

    def _whole(self, text: str, blocks: Sequence[dict[str, Any]]) -> None:
        if self.ts is not None:
            try:
                self._update(text, blocks)
                return
            except TROUBLE as error:
                if not _is_gone(error):
                    self._update(text, blocks)  # once more; after that it is the caller's trouble
                    return
        # In the place of the message that is gone; parts that came after it keep theirs.
        later, self._names = self._names[1:], []
        self._post(_content(text, blocks))
        if later:
            self._names += later
            self._posted(",".join(self._names))

    def _post(self, content: dict[str, Any]) -> None:
        """Posts one more message; one whose answer got lost is looked for."""
        try:
            answer = self._client.chat_postMessage(
                channel=self._where.channel, thread_ts=self._where.thread, **content
            )
            self._name(answer["ts"])
        except TROUBLE as error:
            found = self._find() if passing(error) else None
            if found is None:
                raise
            self._name(found)
            self._client.chat_update(channel=self._where.channel, ts=found, **content)

    def _update(self, text: str, blocks: Sequence[dict[str, Any]] = ()) -> None:
        self._client.chat_update(
            channel=self._where.channel, ts=self.ts or "", **_content(text, blocks)
        )

    def _name(self, ts: str) -> None:
        self._names.append(ts)
        self._posted(",".join(self._names))


def _content(text: str, blocks: Sequence[dict[str, Any]] = ()) -> dict[str, Any]:
    shown = {"type": "markdown", "text": markdown(text)}
    return {"text": write(text)[:FALLBACK_TEXT], "blocks": [shown, *blocks]}


def passing(error: BaseException) -> bool:
    """Whether a call may succeed in a while: Slack can't be reached, or isn't well."""
    if isinstance(error, AWAY):
        return True
    if not isinstance(error, SlackApiError):
        return False
    status = getattr(error.response, "status_code", 200)
    return reason(error) in (PAGE, *UNWELL) or status == 429 or status >= 500


def _is_gone(error: BaseException) -> bool:
    return reason(error) in ("message_not_found", "cant_update_message", "edit_window_closed")


def reason(error: BaseException) -> str:
    """Why a call failed, in a word, without its tokens."""
    response = getattr(error, "response", None)
    if response is None:
        return type(error).__name__
    told = str(response.get("error", "no answer"))
    # A page instead of JSON is a proxy's, or that of a server that is down; slack_sdk makes
    # a sentence of it.
    return told if re.fullmatch(r"[a-z0-9_]+", told) else PAGE
