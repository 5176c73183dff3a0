"""The only place that builds, renders and masks messages.

Training and replies go through the same ``encode``: the token ids of a prompt are, by construction,
the ids that precede the loss mask in training. Engines are given these ids and apply no template
of their own.

A chat template is untrusted text (it comes with a model or a version): it is rendered in Jinja's
immutable sandbox. Message contents are untrusted too: a model's control tokens are taken out of
them, so that nobody can write a turn that is not theirs.

This module does not know where files lie, what a persona's folder looks like, or any engine.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from brandbot.errors import ModelError

if TYPE_CHECKING:
    from jinja2 import Template
    from tokenizers import Tokenizer

Role = Literal["system", "user", "assistant"]

PROMPT_FORM = 3
"""Counts up when ``build`` or ``encode`` changes what a model sees; part of the fingerprint."""

PLAIN_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] }}\n\n"
    "{% elif message['role'] == 'user' %}User: {{ message['content'] }}\n"
    "{% else %}Assistant: {{ message['content'] }}{{ eos_token }}\n{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}Assistant:{% endif %}"
)
"""For bases that come without a chat template: plain labels, each reply ended by the EOS token."""

FACTS = {"en": "Facts:", "es": "Datos:"}
"""What stands above the facts a reply is given to know; other languages get the English word."""

_PLAIN_LABEL = re.compile(r"(?m)^([^\S\n]*)(User|Assistant):")
# Zephyr's turns, and those of older Mistral and Llama 2, are marked by plain text that their
# tokenizers do not know as special.
_TEXT_LABEL = re.compile(r"<\|(?:system|user|assistant)\|>|\[/?INST\]|<</?SYS>>")
_SENTINEL = "brandbotsentinel"


@dataclass(frozen=True)
class Message:
    """One turn. ``content`` is plain text."""

    role: Role
    content: str


@dataclass(frozen=True)
class Encoded:
    """Token ids of a conversation; ``mask`` is 1 where the loss is taken (the brand's replies)."""

    ids: list[int]
    mask: list[int]

    def last_reply_alone(self) -> Encoded:
        """The same ids, with the loss on the last reply only."""
        end = len(self.mask) - self.mask[::-1].index(1) if 1 in self.mask else 0
        start = end
        while start and self.mask[start - 1]:
            start -= 1
        places = range(len(self.mask))
        return Encoded(self.ids, [int(start <= place < end) for place in places])


def joined(messages: Sequence[Message]) -> list[Message]:
    """The messages with turns of one speaker, one after another, joined into one."""
    told: list[Message] = []
    for message in messages:
        if told and told[-1].role == message.role:
            told[-1] = Message(message.role, f"{told[-1].content}\n{message.content}")
        else:
            told.append(message)
    return told


def build(
    system: str,
    conversation: Sequence[Message],
    facts: Sequence[str] = (),
    language: str = "en",
) -> list[Message]:
    """The messages a model sees: the system prompt, then the conversation as it went.

    ``facts`` stand before the last message, in its turn, a line each; so what came before keeps its
    tokens, and an engine its cache. A fact is text from a document: whatever is in it, it stays in
    its line.
    """
    # One may have gone unanswered, and templates may refuse two in a row.
    turns = joined([message for message in conversation if message.role != "system"])
    asked = next((i for i in reversed(range(len(turns))) if turns[i].role == "user"), None)
    if facts and asked is not None:
        lines = [f"- {' '.join(fact.split())}" for fact in facts]
        head = FACTS.get(language, FACTS["en"])
        text = "\n".join((head, *lines, "", turns[asked].content))
        turns[asked] = Message("user", text)
    return [Message("system", system), *turns] if system else turns


def rewriting(text: str, language: str = "en") -> Message:
    """What asks for a text in the persona's own voice."""
    asked = "Dilo con tus propias palabras" if language == "es" else "Say this in your own words"
    return Message("user", f"{asked}: {text}")


@dataclass(frozen=True)
class PromptFormat:
    """A tokenizer and a chat template: how messages become token ids for one base model.

    ``positions`` are the tokens that the model was made for; 0 if its config does not say.
    """

    tokenizer: Tokenizer
    template: str
    bos_token: str = ""
    eos_token: str = ""
    special_tokens: tuple[str, ...] = field(default=())
    tokenizer_sha256: str = ""
    positions: int = 0

    @classmethod
    def load(cls, folder: Path, template: str | None = None) -> PromptFormat:
        """Reads ``tokenizer.json`` and the chat template of a model folder.

        ``template`` overrides the folder's own, as a version does with the one it was trained with.
        """
        from tokenizers import Tokenizer

        try:
            tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        except Exception as error:  # tokenizers raises bare Exception
            raise ModelError(f"{folder / 'tokenizer.json'} can't be read: {error}") from error
        # As whoever saved it trained with: texts would be cut, or filled up, in silence.
        tokenizer.no_truncation()
        tokenizer.no_padding()
        config = _json(folder / "tokenizer_config.json")
        added = tokenizer.get_added_tokens_decoder().values()
        model = _json(folder / "config.json")
        positions = model.get("max_position_embeddings") or model.get("n_positions")
        special = tuple(sorted((t.content for t in added if t.special), key=len, reverse=True))
        if template is None:
            template = folder_template(folder) or PLAIN_TEMPLATE
        return cls(
            tokenizer,
            template,
            _token_text(config.get("bos_token")),
            _token_text(config.get("eos_token")),
            special,
            hashlib.sha256((folder / "tokenizer.json").read_bytes()).hexdigest(),
            positions if isinstance(positions, int) else 0,
        )

    @property
    def is_plain(self) -> bool:
        return self.template == PLAIN_TEMPLATE

    @cached_property
    def _compiled(self) -> Template:
        from jinja2 import TemplateError
        from jinja2.ext import Extension, loopcontrols
        from jinja2.sandbox import ImmutableSandboxedEnvironment

        class Generation(Extension):
            """``{% generation %}`` marks what a model says; only what stands in it counts here."""

            tags = {"generation"}  # noqa: RUF012  # as its base has it

            def parse(self, parser: Any) -> Any:
                next(parser.stream)
                return parser.parse_statements(("name:endgeneration",), drop_needle=True)

        def refuse(message: str) -> None:
            raise TemplateError(message)

        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=[Generation, loopcontrols]
        )
        environment.filters["tojson"] = lambda value, **options: json.dumps(
            value, ensure_ascii=False, **options
        )
        environment.globals["raise_exception"] = refuse
        # A date in the prompt would make every day's prompt another one than was trained.
        environment.globals["strftime_now"] = lambda _format: ""
        try:
            return environment.from_string(self.template)
        except TemplateError as error:
            raise ModelError(f"The chat template can't be read: {error}") from error

    def count(self, message: Message) -> int:
        """How many tokens a message's own words are, without the frame around them."""
        return len(self.tokenizer.encode(message.content, add_special_tokens=False).ids)

    def _render(self, messages: Sequence[Message], *, generation: bool) -> str:
        from jinja2 import TemplateError

        rows = [{"role": m.role, "content": m.content} for m in messages]
        try:
            return self._compiled.render(
                messages=rows,
                add_generation_prompt=generation,
                bos_token=self.bos_token,
                eos_token=self.eos_token,
                enable_thinking=False,
            )
        except (TemplateError, TypeError, ValueError, OverflowError) as error:
            raise ModelError(f"The chat template refused these messages: {error}") from error

    @cached_property
    def takes_system(self) -> bool:
        """Whether the template has a place for a system message (Mistral's and Gemma's may not)."""
        probe = [Message("system", _SENTINEL), Message("user", "x")]
        try:
            return _SENTINEL in self._render(probe, generation=True)
        except ModelError:
            return False

    @cached_property
    def _opened(self) -> str:
        """Some prompt, up to where the reply begins."""
        return self._render([Message("user", "x")], generation=True)

    @cached_property
    def _reply_frame(self) -> tuple[str, str]:
        """What the template puts before a reply (after the generation prompt) and to end it."""
        opened = self._opened
        told = [Message("user", "x"), Message("assistant", _SENTINEL)]
        whole = self._render(told, generation=False)
        before, _, after = whole.partition(_SENTINEL)
        lead = before[len(opened) :] if before.startswith(opened) else ""
        ends = [
            (after.index(token), token)
            for token in {*self.special_tokens, self.eos_token} - {""}
            if token in after
        ]
        return lead, min(ends)[1] if ends else self.eos_token

    @property
    def end_of_turn(self) -> str:
        """The token text that ends a reply; generation stops there."""
        return self._reply_frame[1]

    @cached_property
    def stop_ids(self) -> tuple[int, ...]:
        """Token ids at which generation stops."""
        texts = (self.end_of_turn, self.eos_token)
        ids = (self.tokenizer.token_to_id(text) for text in texts if text)
        return tuple(dict.fromkeys(i for i in ids if i is not None))

    def clean(self, content: str) -> str:
        """``content`` without control tokens, so that it can't end its turn or open another."""
        before = None
        while before != content:  # a removal may join the halves of another token
            before = content
            for token in self.special_tokens:
                content = content.replace(token, "")
            content = _TEXT_LABEL.sub("", content)
        if self.is_plain:
            content = _PLAIN_LABEL.sub(r"\1\2 :", content)
        return content.strip()

    def _prepare(self, messages: Sequence[Message]) -> list[Message]:
        prepared = [Message(m.role, self.clean(m.content)) for m in messages]
        if prepared and prepared[0].role == "system" and not self.takes_system:
            system, first, *rest = prepared
            prepared = [Message("user", f"{system.content}\n\n{first.content}"), *rest]
        return prepared

    def beginning(self, ids: Sequence[int], text: str) -> list[int]:
        """A prompt's token ids, with what the reply is to begin with."""
        lead, _ = self._reply_frame
        opened, begun = self._opened, lead + self.clean(text)
        before, both = self._tokenize(opened), self._tokenize(opened + begun)
        if both[: len(before)] == before:
            return [*ids, *both[len(before) :]]
        return [*ids, *self._tokenize_after(begun)]

    def encode(self, messages: Sequence[Message]) -> Encoded:
        """Token ids and loss mask of a conversation.

        Ends with a user message: the prompt that asks for the next reply, mask all 0. Ends with a
        reply: every reply that the template leaves in place is masked 1, with its end token. A
        template that rewrites earlier turns (some drop old reasoning) gets the last reply alone.
        """
        prepared = self._prepare(messages)
        lead, end = self._reply_frame
        text = ""
        ids: list[int] = []
        mask: list[int] = []

        def extend(longer: str, flag: int) -> None:
            nonlocal text, ids, mask
            if not longer.startswith(text):  # the template rewrote what came before
                text, ids, mask = "", [], []
            together = self._tokenize(longer)
            if together[: len(ids)] != ids:  # a merge across the seam: keep the seam instead
                together = ids + self._tokenize_after(longer[len(text) :])
            mask = mask + [flag] * (len(together) - len(ids))
            text, ids = longer, together

        for index, message in enumerate(prepared):
            if message.role == "assistant":
                extend(self._render(prepared[:index], generation=True), 0)
                extend(text + lead + message.content + end, 1)
        if prepared and prepared[-1].role != "assistant":
            extend(self._render(prepared, generation=True), 0)
        return Encoded(ids, mask)

    def _tokenize(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def _tokenize_after(self, text: str) -> list[int]:
        """The tokens of a text that goes on from another: some tokenizers mark where texts begin.

        So it is tokenized behind a line's end, which no word is merged with.
        """
        before, ids = self._tokenize("\n"), self._tokenize(f"\n{text}")
        return ids[len(before) :] if ids[: len(before)] == before else self._tokenize(text)

    def decode(self, ids: Sequence[int]) -> str:
        text: str = self.tokenizer.decode(list(ids), skip_special_tokens=True)
        return text

    def fingerprint(self, system: str) -> str:
        """Names what decides a prompt besides the conversation: template, tokenizer, system."""
        parts = [PROMPT_FORM, self.template, self.tokenizer_sha256, self.bos_token, self.eos_token]
        parts.append(system)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def folder_template(folder: Path) -> str | None:
    """The chat template a model folder brings, or None."""
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_bytes().decode("utf-8")
    template = _json(folder / "tokenizer_config.json").get("chat_template")
    if isinstance(template, list):  # several named templates
        named = {entry.get("name"): entry.get("template") for entry in template}
        template = named.get("default")
    return template if isinstance(template, str) else None


def _token_text(token: Any) -> str:
    if isinstance(token, dict):
        token = token.get("content")
    return token if isinstance(token, str) else ""


def _json(file: Path) -> dict[str, Any]:
    if not file.is_file():
        return {}
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{file} can't be read: {error}") from error
    return content if isinstance(content, dict) else {}


def pieces(tokenizer: Tokenizer, ids: Iterable[int]) -> Iterator[str]:
    """A reply's text as it is streamed: each piece as soon as its tokens make whole characters."""
    from tokenizers.decoders import DecodeStream

    stream = DecodeStream(skip_special_tokens=True)
    for token in ids:
        try:
            text = stream.step(tokenizer, token)
        except Exception:  # noqa: BLE001  # bytes that are no character and never will be
            stream = DecodeStream(skip_special_tokens=True)
            text = stream.step(tokenizer, token)
        if text:
            yield text
