"""What people write in Slack, and what the app is told of it."""

from __future__ import annotations

from abc import abstractmethod

from tests.slack import events
from tests.slack.delivery import Answer
from tests.slack.state import Ephemeral, Json, Message, Workspace


class People(Workspace):
    mention_on_edit = False
    """Whether a mention that an edit adds is told as app_mention, too."""

    @abstractmethod
    def emit(self, event: Json) -> Json | None: ...

    @abstractmethod
    def kept(self, event: Json) -> Json: ...

    @abstractmethod
    def subscribed(self, event: Json) -> bool: ...

    @abstractmethod
    def ask(self, kind: str, body: Json) -> Answer: ...

    @property
    @abstractmethod
    def base(self) -> str: ...

    # Messages

    def say(
        self,
        user: str,
        channel: str,
        text: str,
        thread_ts: str | None = None,
        *,
        mention: bool = False,
        subtype: str | None = None,
        files: list[Json] | None = None,
    ) -> Message:
        """Somebody writes; ``mention`` puts the app's name in front. Gives the message."""
        message, found = self._said(user, channel, text, thread_ts, mention, subtype, files)
        for event in found:
            self.emit(event)
        return message

    def said(
        self,
        user: str,
        channel: str,
        text: str,
        thread_ts: str | None = None,
        *,
        mention: bool = False,
        subtype: str | None = None,
        files: list[Json] | None = None,
    ) -> list[Json]:
        """Like ``say``, but the events are given to the caller, for ``deliver_many``."""
        _, found = self._said(user, channel, text, thread_ts, mention, subtype, files)
        return [self.kept(event) for event in found if self.subscribed(event)]

    def _said(
        self,
        user: str,
        channel: str,
        text: str,
        thread_ts: str | None,
        mention: bool,
        subtype: str | None,
        files: list[Json] | None,
    ) -> tuple[Message, list[Json]]:
        name = f"<@{self.bot_user}>"
        text = f"{name} {text}" if mention and name not in text else text
        subtype = subtype or ("file_share" if files else None)
        with self.changed:
            place = self.channels[channel]
            place.members.add(user)
            message = Message(
                self.new_ts(), channel, user, text, thread_ts, subtype=subtype, files=files or []
            )
            self.put(message)
            found = [events.message_event(self, message)]
            if name in text and place.kind != "im":
                found.append(events.mention_event(self, message))
        return message, found

    def edit(self, channel: str, ts: str, text: str) -> None:
        """The author of a message edits it."""
        with self.changed:
            message = self._standing(channel, ts)
            before, name = events.shown(self, message), f"<@{self.bot_user}>"
            added = name in text and name not in message.text
            message.edited = {"user": message.user, "ts": self.new_ts()}
            self.rewrite(message, text)
            event = events.changed_event(self, message, before)
            mention = events.mention_event(self, message)
        self.emit(event)
        if added and self.mention_on_edit:
            self.emit(mention)

    def delete(self, channel: str, ts: str) -> None:
        """A message goes. A thread's parent leaves a tombstone behind, told as a change."""
        with self.changed:
            message = self._standing(channel, ts)
            before = events.shown(self, message)
            thread = [m for m in self.messages(channel, ts) if not m.deleted and m.ts != ts]
            message.deleted, message.streaming = True, False
            if thread:
                stone = Message(
                    ts, channel, "USLACKBOT", "This message was deleted.", ts, subtype="tombstone"
                )
                event = events.changed_event(self, stone, before)
            else:
                event = events.deleted_event(self, message, before)
            self.changed.notify_all()
        self.emit(event)

    def whisper(
        self, channel: str, user: str, text: str, blocks: list[Json], thread_ts: str | None = None
    ) -> Ephemeral:
        """The app shows a message to one user only."""
        with self.changed:
            message = Ephemeral(channel, user, text, blocks, thread_ts, self.new_ts())
            self.ephemerals.append(message)
            self.changed.notify_all()
        return message

    def expire_stream(self, channel: str, ts: str) -> None:
        """Slack ends a stream by itself, after some minutes."""
        with self.changed:
            self._standing(channel, ts).streaming = False
            self.changed.notify_all()

    def stop_stream(self, channel: str, ts: str) -> None:
        """The reader presses stop."""
        with self.changed:
            message = self._standing(channel, ts)
            message.streaming, message.stopped_by_user = False, True
            self.changed.notify_all()

    def _standing(self, channel: str, ts: str) -> Message:
        found = self.find(channel, ts)
        if found is None or found.deleted:
            raise LookupError(f"No message {ts} in {channel}")
        return found

    # The app's own places

    def open_home(self, user: str, tab: str = "messages") -> None:
        """https://docs.slack.dev/reference/events/app_home_opened"""
        event: Json = {
            "type": "app_home_opened", "user": user, "channel": self.dm(user), "tab": tab,
            "event_ts": self.new_ts(),
        }  # fmt: skip
        if tab == "home" and user in self.homes:
            event["view"] = self.homes[user]
        self.emit(event)

    def assistant_started(self, user: str, viewing: str | None = None) -> str:
        """Opens a new thread with the assistant and gives its ts. ``viewing``: a channel's id."""
        with self.changed:
            channel, ts = self.dm(user), self.new_ts()
            text = "New Assistant Thread"
            self.put(Message(ts, channel, self.bot_user, text, ts, subtype="assistant_app_thread"))
        self.emit(self._thread_event("assistant_thread_started", user, ts, viewing))
        return ts

    def context_changed(self, user: str, thread_ts: str, viewing: str) -> None:
        self.emit(self._thread_event("assistant_thread_context_changed", user, thread_ts, viewing))

    def _thread_event(self, kind: str, user: str, ts: str, viewing: str | None) -> Json:
        """https://docs.slack.dev/reference/events/assistant_thread_started"""
        context = {"channel_id": viewing, "team_id": self.team, "enterprise_id": None}
        thread = {
            "user_id": user, "channel_id": self.dm(user), "thread_ts": ts,
            "context": context if viewing else {},
        }  # fmt: skip
        return {"type": kind, "assistant_thread": thread, "event_ts": self.new_ts()}
