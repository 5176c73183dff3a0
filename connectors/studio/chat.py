"""What happens when somebody talks: every action of the page, told in ``Screen`` values.

Knows the bot and no Gradio component. An action is given what the browser remembers (``Memory``)
and touches only the conversation it names. What goes wrong is said in the screen's ``notice``. A
reply's last screen is None if it was left: there is nobody to show it to.
"""

from __future__ import annotations

import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from brandbot import Bot, BrandbotError, LogError, Persona, Reply, Turn
from connectors.studio.memory import Memory
from connectors.studio.running import Running, Signal
from connectors.studio.screen import Screen, comparison, message, remarks, transcript
from connectors.studio.texts import REASONS, say, say_error

CHANNEL = "web"
LONGEST_MESSAGE = 4000
"""Characters; the model's own limit is in tokens and is said by the bot."""

FRAME_SECONDS = 0.05
"""A reply is painted at most this often; a model can be faster than a browser."""

WRITING = "…"
"""What stands for a reply until its first words are there."""

log = logging.getLogger("brandbot.studio")


@dataclass
class Chat:
    bot: Bot
    running: Running = field(default_factory=Running)

    def brands(self) -> list[tuple[str, str]]:
        """(name shown, folder) of every brand; one that can't be read goes by its folder's name.

        So do those that a copied folder gave one name, behind it.
        """
        found = []
        for folder in self.bot.workspace.persona_names():
            persona = self._persona(folder)
            found.append((persona.config.name if persona else f"{folder} ⚠", folder))
        names = Counter(name for name, _ in found)
        return [
            (f"{name} ({folder})" if names[name] > 1 else name, folder) for name, folder in found
        ]

    def open(self, memory: Memory, language: str) -> Screen:
        """The brand last talked to, else the first in the visitor's language, else the first."""
        memory = self.choose(memory, language)
        if not self.bot.workspace.persona_names():
            return Screen(memory, notice=say(language, "no_personas"))
        return self.show(memory, language)

    def choose(self, memory: Memory, language: str) -> Memory:
        """``memory`` at the brand that ``open`` shows, if there is any."""
        names = self.bot.workspace.persona_names()
        if not names or memory.persona in names:
            return memory
        return memory.at(min(names, key=lambda name: self._language(name) != language))

    def show(self, memory: Memory, language: str, notice: str = "") -> Screen:
        """``memory``'s brand as it stands now; a conversation with another is forgotten."""
        name = memory.persona or ""
        if name not in self.bot.workspace.persona_names():
            return Screen(memory, notice=say(language, "no_such_persona"))
        try:
            voice = self.bot.voice(name)
            history = self._history(memory)
            if history is None:
                memory, history = memory.holding(name, None), []
        except LogError as error:  # the brand is well, what was said can't be read just now
            notice = say_error(language, error)
            return Screen(
                memory, name, voice.persona.config.name, voice, notice=notice, unread=True
            )
        except BrandbotError as error:
            return Screen(memory, name, self._name(name), problems=str(error), notice=notice)
        except Exception:
            log.exception("%s could not be shown", name)
            problems = say(language, "unexpected")
            return Screen(memory, name, self._name(name), problems=problems)
        messages, turns, feedback = transcript(voice.persona, history, language)
        return Screen(
            memory,
            name,
            voice.persona.config.name,
            voice,
            messages,
            turns,
            feedback,
            notice,
            unanswered=bool(history) and history[-1].role == "user",
        )

    def renew(self, memory: Memory, language: str) -> Screen:
        """A new conversation with the same brand; the log keeps the old one."""
        return self.show(memory.holding(memory.persona or "", None), language)

    def send(
        self, tab: str, memory: Memory, text: str, strength: float | None, language: str
    ) -> Iterator[Screen | None]:
        if not text.strip():
            return
        if len(text) > LONGEST_MESSAGE:
            notice = say(language, "too_long", limit=LONGEST_MESSAGE)
            yield replace(self.show(memory, language, notice), unsent=text)
            return

        def begin() -> Reply:
            return self.bot.reply(
                memory.persona or "",
                text,
                conversation=self._conversation(memory),
                channel=CHANNEL,
                strength=strength,
            )

        yield from self._answer(tab, memory, language, begin, text)

    def retry(
        self, tab: str, memory: Memory, strength: float | None, language: str
    ) -> Iterator[Screen | None]:
        conversation = self._conversation(memory)
        if conversation is None:
            yield self.show(memory, language)
            return
        yield from self._answer(
            tab, memory, language, lambda: self.bot.retry(conversation, strength=strength)
        )

    def edit(
        self,
        tab: str,
        memory: Memory,
        turn: int | None,
        text: str,
        strength: float | None,
        language: str,
    ) -> Iterator[Screen | None]:
        """Says something else in a turn's place; that turn and all after it are retired."""
        conversation = self._conversation(memory)
        found = self._turn(memory, turn)
        if conversation is None or found is None:
            yield replace(self.show(memory, language, say(language, "gone")), unsent=text)
            return
        if not text.strip() or len(text) > LONGEST_MESSAGE:
            notice = say(language, "too_long", limit=LONGEST_MESSAGE) if text.strip() else ""
            yield replace(self.show(memory, language, notice), unsent=text.strip())
            return

        def begin() -> Reply:
            return self.bot.reply(
                memory.persona or "",
                text,
                conversation=conversation,
                channel=CHANNEL,
                instead_of=found.id,
                strength=strength,
            )

        yield from self._answer(tab, memory, language, begin, text)

    def stop(self, tab: str) -> None:
        """Stops the tab's reply; what was said stays."""
        self.running.stop(tab)

    def leave(self, tab: str, *, wait: bool = True) -> None:
        """Stops the tab's reply and comparison, which nobody looks at any more.

        Afterwards neither paints again, unless ``wait`` is off or the model is slow to stop.
        """
        self.running.stop(tab, left=True)
        self.leave_comparison(tab, wait=wait)
        if wait:
            self.running.wait(tab)

    def leave_comparison(self, tab: str, *, wait: bool = True) -> None:
        self.running.stop(_beside(tab), left=True)
        if wait:
            self.running.wait(_beside(tab))

    def judge(
        self,
        memory: Memory,
        turn: int | None,
        verdict: Literal["like", "dislike", "withdrawn"],
        reason: str = "",
        suggestion: str = "",
    ) -> bool:
        """Stores what the visitor thinks of a reply; False if it is not in their conversation.

        Also of one that they have asked for again meanwhile.
        """
        conversation = self._conversation(memory)
        if conversation is None or turn is None or not self.bot.log.has_reply(conversation, turn):
            return False
        self.bot.judge(turn, verdict, reason=reason, suggestion=suggestion)
        return True

    def compare(self, tab: str, memory: Memory, language: str) -> Iterator[str | None]:
        """The untuned model's answer to the last question, as HTML while it is written."""
        history = list(self._history(memory) or [])
        while history and history[-1].role != "user":
            history.pop()
        if not history:
            yield comparison("", say(language, "compare_empty"), language)
            return
        question = history[-1].content
        tab = _beside(tab)
        signal = self.running.begin(tab)
        if signal is None:
            yield comparison(question, say(language, "busy"), language)
            return
        try:
            voice = self.bot.voice(memory.persona or "")
            said = [turn.message for turn in history]
            reply = self.bot.generate(voice, said, untuned=True)
            yield comparison(question, WRITING, language, busy=True)
            for text in _frames(reply, signal):
                yield comparison(question, text, language, busy=True)
            answer = comparison(question, reply.text or say(language, "no_words"), language)
            yield None if signal.left else answer
        except BrandbotError as error:
            yield comparison(question, say_error(language, error), language)
        except Exception:
            log.exception("the comparison failed")
            yield comparison(question, say(language, "unexpected"), language)
        finally:
            self.running.end(tab)

    def _answer(
        self, tab: str, memory: Memory, language: str, begin: Callable[[], Reply], text: str = ""
    ) -> Iterator[Screen | None]:
        """Shows a reply while it is written; closes it when stopped or left by its reader.

        ``text`` goes back into the box if it could not be said.
        """
        signal = self.running.begin(tab)
        # Another tab may hold the same conversation, whose replies must not cross.
        talk = f"conversation {memory.conversations.get(memory.persona or '', tab)}"
        if signal is not None and self.running.begin(talk) is None:
            self.running.end(tab)
            signal = None
        if signal is None:
            yield replace(self.show(memory, language, say(language, "busy")), unsent=text)
            return
        notice, screen, reply = "", None, None
        try:
            reply = begin()
            memory = memory.holding(memory.persona or "", reply.conversation)
            screen = replace(self.show(memory, language), busy=True, unanswered=False)
            while screen.messages and screen.messages[-1]["role"] == "assistant":  # tried again
                left = screen.messages[:-1]
                bubbles = sum(m["role"] == "assistant" for m in left)
                screen = replace(screen, messages=left, turns=screen.turns[:-1],
                                 feedback=screen.feedback[:bubbles])  # fmt: skip
            for words in itertools.chain([WRITING], _frames(reply, signal)):
                yield replace(screen, messages=[*screen.messages, message("assistant", words)])
            notice = remarks(reply, language, stopped=signal.stopped)
        except BrandbotError as error:
            notice = say_error(language, error)
        except Exception:
            log.exception("a reply of %s failed", memory.persona)
            notice = say(language, "unexpected")
        finally:
            self.running.end(talk)
            self.running.end(tab)
        if signal.left:
            yield None
            return
        last = self.show(memory, language, notice)
        if last.unread and screen is not None and reply is not None:  # what was read stays there
            said = [*screen.messages, message("assistant", reply.text)] if reply.text else []
            last = replace(screen, messages=said or screen.messages, notice=last.notice, busy=False)
        yield replace(last, unsent="" if reply else text)

    def _persona(self, name: str) -> Persona | None:
        """The persona as its folder has it now, or None if it can't be read."""
        try:
            return Persona.load(self.bot.workspace.persona(name))
        except BrandbotError:
            return None
        except Exception:
            log.exception("%s could not be read", name)
            return None

    def _name(self, name: str) -> str:
        persona = self._persona(name)
        return persona.config.name if persona else name

    def _language(self, name: str) -> str | None:
        persona = self._persona(name)
        return persona.language if persona else None

    def _conversation(self, memory: Memory) -> str | None:
        """The conversation in the browser's memory, if it is one with this brand."""
        held = memory.conversations.get(memory.persona or "")
        if held is None or self.bot.log.persona_of(held) != memory.persona:
            return None
        return held

    def _history(self, memory: Memory) -> Sequence[Turn] | None:
        conversation = self._conversation(memory)
        return None if conversation is None else self.bot.history(conversation)

    def _turn(self, memory: Memory, turn: int | None) -> Turn | None:
        """What a visitor said, by its number, if it stands in their own conversation."""
        for found in self._history(memory) or []:
            if found.id == turn and found.role == "user":
                return found
        return None


def reasons(chosen: Sequence[str], more: str) -> str:
    """A dislike's reasons as the log holds them: ``voice, length: sounds like a robot``."""
    known = ", ".join(reason for reason in REASONS if reason in chosen)
    return ": ".join(part for part in (known, more.strip()) if part)


def _frames(reply: Reply, signal: Signal) -> Iterator[str]:
    """The text so far, now and then, until the reply ends or is stopped; closes it in any case."""
    painted = 0.0
    try:
        for _ in reply:
            if signal.stopped:
                break
            if time.monotonic() - painted >= FRAME_SECONDS:
                painted = time.monotonic()
                yield reply.text or WRITING  # a strict persona's comes as a whole
    finally:
        reply.close()


def _beside(tab: str) -> str:
    """The comparison's name among the running: it may be written while the brand replies."""
    return f"{tab}/beside"
