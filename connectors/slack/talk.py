"""A question from Slack becomes a reply in its thread: once, whoever dies meanwhile."""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from brandbot import (
    Bot,
    BrandbotError,
    ClaimLostError,
    Claims,
    LockHeldError,
    Reply,
    TooLongError,
    Turn,
    WorkspaceError,
    expire,
    forget_person,
)
from connectors.slack import blocks
from connectors.slack.events import Change, Question, message_id, room
from connectors.slack.mrkdwn import read
from connectors.slack.texts import say
from connectors.slack.work import Work
from connectors.slack.writer import TROUBLE, Where, Writer, passing

CHANNEL = "slack"

LONGEST_MESSAGE = 12_000
"""Characters; the model's own limit is in tokens and is said by the bot."""

REPEATED_SECONDS = 4_000
"""For about an hour Slack sends an event again that it could not deliver."""

MOST_TRIES = 1_000
"""How often a reply is tried that Slack answers with an error of its own, once a beat: for more
than an hour. Something in the reply might be the reason."""

MOST_WAITS = 12
"""Beats, a minute, for which a question waits until another process has answered the one before."""

log = logging.getLogger("brandbot.slack")


@dataclass
class Talk:
    """Answers questions of one workspace's bot. ``default`` is the persona of unset channels.

    ``client`` waits when Slack limits the rate, ``quick`` does not: it is for what nobody misses.
    ``errands`` are what else Slack is told, in their own threads: replies don't wait for them.
    """

    bot: Bot
    client: WebClient
    quick: WebClient
    claims: Claims
    work: Work
    errands: Work
    bot_user: str
    default: str
    _languages: dict[str, str] = field(default_factory=dict)
    _tries: Counter[str] = field(default_factory=Counter)
    _waits: Counter[str] = field(default_factory=Counter)

    def persona(self, team: str, channel: str) -> str:
        """The persona of a channel: the one it was set to, if that is still there."""
        chosen = self.bot.log.room(room(team, channel)).persona
        return chosen if chosen in self.bot.workspace.persona_names() else self.default

    def language(self, persona: str) -> str:
        """The language the bot's own words are in; English if the persona can't be read."""
        if persona not in self._languages:
            try:
                self._languages[persona] = self.bot.voice(persona).persona.language
            except BrandbotError:
                return "en"
        return self._languages[persona]

    @property
    def own_language(self) -> str:
        """That of the persona that channels talk to unless they were set."""
        return self.language(self.default)

    def follows(self, place_of_room: str, place: str) -> bool:
        """Whether a thread goes on without a mention: only where it was switched on."""
        return bool(self.bot.log.room(place_of_room).follows) and bool(self.bot.log.at(place))

    def take(self, question: Question, *, again: bool = False, posted: str | None = None) -> None:
        """Queues a claimed question; if there is no room, its sender is told."""

        def job() -> None:
            self.answer(question, again=again, posted=posted)

        if self.work.put(_talk_of(question), job, always=again) or self.work.closed:
            return  # what came while this process stops stays claimed, for whoever starts next
        self.claims.done(question.event, failed=True)
        self._whisper(question, say(self._language_of(question), "queue_full"))

    def change(self, changed: Change) -> None:
        """Does to our copy of a message what was done to it in Slack; it may wait to be answered.

        Most messages that are edited or deleted are none of ours: those cost two reads.
        """
        name = changed.message_id
        if self.claims.state(name) is None and self.bot.log.turn(name) is None:
            if changed.text is None and _age(name) < REPEATED_SECONDS:
                # It may be one that Slack could not deliver yet, and sends again.
                self.claims.claim(name, {})
                self.claims.withdraw(name)
            return
        if changed.text is None:
            self.claims.withdraw(name)
            self.bot.log.delete(name)
        else:
            self.claims.revise(name, text=changed.text)
            self.bot.log.edit(name, read(changed.text, bot_user=self.bot_user).strip())

    def expire(self) -> None:
        """Deletes conversations that are older than their persona keeps them."""
        try:
            for name, count in expire(self.bot.workspace, self.bot.log).items():
                log.info("%s: %s conversations deleted (review.keep_days)", name, count)
        except (BrandbotError, OSError) as error:
            log.warning("Old conversations were not deleted: %s", error)

    def take_over(self, event: str, payload: Mapping[str, Any], posted: str | None) -> None:
        """Takes up a question that a process left when it died, or a wish to be forgotten."""
        if "forget" in payload:
            self.take_wish(event, payload["forget"], payload.get("language") or self.own_language)
            return
        try:
            question = Question(**payload)
        except TypeError:  # a greeting, or another version's: too late for that
            self.claims.done(event, failed=True)
            return
        self.take(question, again=True, posted=posted)

    def take_wish(self, event: str, person: str, language: str) -> None:
        """Queues the claimed wish of a person, as the log names them, to be forgotten."""
        self.work.put(event, lambda: self._forget(event, person, language), always=True)

    def _forget(self, event: str, person: str, language: str) -> None:
        """Forgets a person and tells them; it writes the whole database anew, which takes long."""
        try:
            done = forget_person(self.bot.workspace, self.bot.log, person)
            text = say(language, "forgotten_traces" if done.left else "forgotten", count=done.turns)
            for named in done.versions:
                where = (named.persona, named.version, named.why)
                log.warning("%s %s holds what was forgotten (%s): train anew, delete it.", *where)
        except LockHeldError:
            text = say(language, "forget_later")
        except (BrandbotError, OSError) as error:
            log.warning("Somebody could not be forgotten: %s", error)
            text = say(language, "forget_failed")
        try:
            self.client.chat_postMessage(channel=person.rpartition(":")[2], text=text)
        except TROUBLE as error:
            log.warning("Somebody could not be told: %s", type(error).__name__)
        with contextlib.suppress(ClaimLostError):  # the claim was one of their traces
            self.claims.done(event)

    def answer(self, question: Question, *, again: bool = False, posted: str | None = None) -> None:
        """Answers a question in its thread, and says so there if that fails."""
        writer = Writer(
            self.client,
            Where(question.channel, question.thread, question.team, question.user),
            posted=lambda names: self._posted(question.event, names),
            find=lambda: self._stray(question),
            names=posted,
        )
        language = "en"
        try:
            if self.claims.payload(question.event) is None:  # deleted, or forgotten, meanwhile
                self._waits.pop(question.event, None)
                return
            if self._has_to_wait(question):
                return
            language = self._language_of(question)
            if again and posted is None:
                writer.adopt(self._stray(question))
            self._announce(question, language)
            current = self.claims.payload(question.event)
            if current is None:
                self._status(question, "")
                return
            question = Question(**current)
            text = self._text(question)
            if not text:
                writer.end(say(language, "empty_mention"))
            elif len(text) > LONGEST_MESSAGE:
                writer.end(say(language, "too_long", limit=LONGEST_MESSAGE))
            else:
                self._reply(question, text, writer, language, again)
            self.claims.done(question.event)
            self._tries.pop(question.event, None)
        except ClaimLostError as error:
            log.warning("%s", error)  # the other process says the rest
        except TooLongError as error:
            log.warning("No reply to %s: %s", question.event, error)
            self._failed(question, writer, say(language, "too_long_to_read"))
        except BrandbotError as error:
            log.warning("No reply to %s: %s", question.event, error)
            self._failed(question, writer, say(language, "failed"))
        except TROUBLE as error:
            log.warning("No reply to %s: Slack: %s", question.event, type(error).__name__)
            if not self._again(question, error):
                self._failed(question, writer, say(language, "failed"))
        except Exception:
            log.exception("No reply to %s", question.event)
            self._failed(question, writer, say(language, "failed"))

    def _has_to_wait(self, question: Question) -> bool:
        """Whether another process answers what was said before in the same talk.

        Then it is left for the next beat, but not for ever: the other may not be able to.
        """
        for payload in self.claims.before(question.event, self._waits):
            try:
                same = _talk_of(Question(**payload)) == _talk_of(question)
            except TypeError:  # something else than a question
                continue
            if same and self._waits[question.event] < MOST_WAITS:
                self._waits[question.event] += 1
                self.claims.release(question.event)
                return True
        self._waits.pop(question.event, None)
        return False

    def _reply(
        self, question: Question, text: str, writer: Writer, language: str, again: bool
    ) -> None:
        persona, conversation = self._conversation(question)
        done = self._answered(question) if again else None
        if done is not None:  # only the message was left unfinished
            turn, words, cited, unsourced = done.id, done.content, done.sources, done.unsourced
        else:
            reply = self._written(question, persona, conversation, text, writer, again)
            if reply is None:
                self._status(question, "")
                return
            if reply.turn is None:
                raise BrandbotError("The model had nothing to say.")
            turn, words = reply.turn, reply.text.strip()
            cited = tuple(source.to_json() for source in reply.sources)
            unsourced = tuple(reply.unknown)
        below = [
            *blocks.sources(cited, language),
            *blocks.unsourced(unsourced, language),
            *blocks.feedback(turn, language),
        ]
        try:
            ts = writer.end(words, below)
            self.bot.log.name(turn, message_id(question.team, question.channel, ts))
        finally:
            self._catch_up(question, text, turn)

    def _written(
        self, question: Question, persona: str, conversation: str | None, text: str,
        writer: Writer, again: bool,
    ) -> Reply | None:  # fmt: skip
        """The reply, shown while it grew; None if the question was deleted before it began."""
        try:
            reply = self._begin(question, persona, conversation, text, again)
            if not self._catch_up(question, text):
                return None
            try:
                for _ in reply:
                    if not writer.grow(reply.text):
                        break
            finally:
                reply.close()
                self._catch_up(question, text, reply.turn)
        except OSError as error:  # a full disk, a missing file: not Slack's, who may be away, too
            raise BrandbotError(f"{type(error).__name__}: {error}") from error
        return reply

    def _catch_up(self, question: Question, text: str, reply: int | None = None) -> bool:
        """Does to a logged question what was done in Slack before it was logged.

        False if it was deleted, or its author forgotten: then the ``reply`` goes, too.
        """
        if self.claims.is_gone(question.event):
            self.bot.log.delete(question.message_id)
            if reply is not None:
                self.bot.log.take_back(reply)
            return False
        current = self.claims.payload(question.event)
        now = text if current is None else self._text(Question(**current))
        if now != text:
            self.bot.log.edit(question.message_id, now)
        return True

    def _text(self, question: Question) -> str:
        return read(question.text, bot_user=self.bot_user).strip()

    def _begin(
        self, question: Question, persona: str, conversation: str | None, text: str, again: bool
    ) -> Reply:
        if again:
            known = self.bot.log.turn(question.message_id)
            if known is not None:  # asked already; the reply to it was never finished
                return self.bot.answer(known[0], known[1].id)
        return self.bot.reply(
            persona,
            text,
            conversation=conversation,
            channel=CHANNEL,
            author=question.author,
            place=question.place,
            message_id=question.message_id,
        )

    def _conversation(self, question: Question) -> tuple[str, str | None]:
        """The persona and conversation of a question.

        A thread is part of the conversation that its first message was said in, if it was said to
        the bot; otherwise it has one of its own.
        """
        if question.threaded:
            names = self.bot.workspace.persona_names()  # one may have been removed since
            root = self.bot.log.turn(message_id(question.team, question.channel, question.thread))
            if root is not None:
                persona = self.bot.log.persona_of(root[0])
                if persona in names:
                    return persona, root[0]
            held = self.bot.log.at(question.place)
            if held and held[0][1] in names:
                return held[0][1], held[0][0]
        return self.persona(question.team, question.channel), None

    def _answered(self, question: Question) -> Turn | None:
        """The logged reply to a question, if there is one."""
        known = self.bot.log.turn(question.message_id)
        if known is None:
            return None
        after = [turn for turn in self.bot.history(known[0]) if turn.id > known[1].id]
        return after[0] if after and after[0].role == "assistant" else None

    def _stray(self, question: Question) -> str | None:
        """A message of ours in the thread, after the question, that is no logged reply.

        Raises what is ``passing``: whoever can't look does not know.
        """
        try:
            answer = self.client.conversations_replies(
                channel=question.channel, ts=question.thread, oldest=question.ts, limit=100
            )
        except SlackClientError as error:
            if passing(error):
                raise
            return None  # no right to read there
        for message in answer.get("messages") or []:
            ts = str(message.get("ts"))
            ours = message.get("user") == self.bot_user and _after(ts, question.ts)
            known = self.bot.log.turn(message_id(question.team, question.channel, ts))
            if ours and known is None and not self.claims.has_posted(ts):
                return ts
        return None

    def _failed(self, question: Question, writer: Writer, told: str) -> None:
        try:
            if not writer.shown:  # else the reply is there; what failed came after it
                writer.end(told)
        except TROUBLE as error:
            log.warning("Slack does not take it: %s", type(error).__name__)
            if self._again(question, error):
                return
        except BrandbotError as error:
            log.warning("%s", error)
        self._tries.pop(question.event, None)
        try:
            self.claims.done(question.event, failed=True)
        except BrandbotError as error:
            log.warning("%s", error)

    def _again(self, question: Question, error: BaseException) -> bool:
        """Leaves a question for the next beat if Slack may be well by then; False if it won't."""
        if isinstance(error, SlackClientError):
            self._tries[question.event] += 1
        if not passing(error) or self._tries[question.event] > MOST_TRIES:
            return False
        self.claims.release(question.event)
        return True

    def _posted(self, event: str, names: str) -> None:
        """Notes a reply's messages. A log that is away stops no reply: what stands in Slack
        unnoted is looked for."""
        try:
            self.claims.posted(event, names)
        except ClaimLostError:
            raise
        except BrandbotError as error:
            log.warning("It is not noted where %s is answered: %s", event, error)

    def _announce(self, question: Question, language: str) -> None:
        """The notice at the first contact, and the status; each may take Slack seconds."""
        if not self._text(question):
            return
        if not self.bot.log.knows(question.author):
            self._notice(question, say(language, "notice_first"))
        self._status(question, say(language, "thinking"))

    def _notice(self, question: Question, text: str) -> None:
        """What everybody is told once, when the bot first answers them."""
        if question.direct:
            self.tell(self.client.chat_postMessage, channel=question.channel, text=text)
        else:
            self._whisper(question, text)

    def _whisper(self, question: Question, text: str) -> None:
        thread = {"thread_ts": question.thread} if question.threaded else {}
        self.tell(
            self.client.chat_postEphemeral,
            channel=question.channel, user=question.user, text=text, **thread,
        )  # fmt: skip

    def tell(self, call: Callable[..., object], **arguments: Any) -> None:
        """Tells Slack something that may take a while, in the background."""

        def job() -> None:
            try:
                call(**arguments)
            except TROUBLE as error:
                log.warning("Slack did not take it: %s", type(error).__name__)

        self.errands.put(f"{arguments.get('channel')}", job, always=True)

    def _status(self, question: Question, text: str) -> None:
        try:
            self.quick.assistant_threads_setStatus(
                channel_id=question.channel, thread_ts=question.thread, status=text
            )
        except SlackClientError:
            pass  # not in every kind of thread
        except TROUBLE as error:
            log.info("No status: %s", type(error).__name__)

    def _language_of(self, question: Question) -> str:
        return self.language(self._conversation(question)[0])


def _talk_of(question: Question) -> str:
    """What is answered one at a time: a thread, or a direct talk with its threads."""
    return room(question.team, question.channel) if question.direct else question.place


def _age(name: str) -> float:
    """How many seconds ago a message was written; its name ends in that moment."""
    try:
        return time.time() - float(name.rpartition(":")[2])
    except ValueError:
        return math.inf


def default_persona(bot: Bot, wanted: str | None) -> str:
    """The persona of channels that were not set: ``wanted``, else the first that was trained."""
    names = bot.workspace.persona_names()
    if wanted:
        bot.workspace.persona(wanted)  # says what is there, if it isn't
        return wanted
    if not names:
        raise WorkspaceError("There is no persona yet. Make one with: brandbot new my-brand")
    trained = [name for name in names if _is_trained(bot, name)]
    return (trained or names)[0]


def _is_trained(bot: Bot, name: str) -> bool:
    try:
        return bot.voice(name).version is not None
    except BrandbotError:
        return False


def _after(one: str, other: str) -> bool:
    """Whether a message's name is later than another's: seconds, a dot, a counter."""
    left, right = (tuple(int(n) for n in ts.split(".") if n.isdigit()) for ts in (one, other))
    return left > right
