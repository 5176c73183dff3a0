"""A persona's examples, conversations and preferences as files that training tools read.

One JSON object a line, in the conversational formats of TRL (huggingface.co/docs/trl,
dataset_formats) or ShareGPT's. All filters of training apply: personal data and secrets are taken
out, no author is named, what is tested with stays here. Knows nothing of how a file is trained on.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from sqlalchemy import Connection, func, select

from brandbot import approved
from brandbot import examples as example_files
from brandbot.approved import Tested
from brandbot.conversations import ConversationLog, Turn
from brandbot.database import conversations, reviews, turns
from brandbot.disk import write_whole
from brandbot.errors import BrandbotError, PersonaError
from brandbot.examples import Example
from brandbot.persona import Persona
from brandbot.prompt import Message, build, joined
from brandbot.redact import brands_own, clean_messages
from brandbot.workspace import Workspace

What = Literal["examples", "conversations", "preferences"]
Form = Literal["messages", "prompt-completion", "sharegpt", "dpo", "kto"]

FORMS: dict[What, tuple[Form, ...]] = {
    "examples": ("messages", "prompt-completion", "sharegpt"),
    "conversations": ("messages", "prompt-completion", "sharegpt", "kto"),
    "preferences": ("dpo", "kto"),
}
"""What can be exported in which form. KTO of conversations: liked or disliked replies."""

REPLY_BY_REPLY = ("prompt-completion", "kto")
"""Forms in which each reply is a row of its own: what came before it is not trained on.

In the others a whole conversation is a row. Of an approved exchange, only the last reply was
approved, so that for those the first kind is the safer.
"""

SHAREGPT = {"system": "system", "user": "human", "assistant": "gpt"}


@dataclass
class Exported:
    """What an export wrote: how many ``rows``, and of how many something was taken out.

    ``left_out`` counts what was not written, by reason: a code of ``approved.choose``
    (author-share, unedited-share, repeated-sentence, placeholder, in-test-split), test (held out
    for measuring), rejected, unjudged, unanswered, unchanged, duplicate, expired or
    taken-out (of the file, by hand).
    """

    rows: int = 0
    cleaned: int = 0
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Item:
    """A conversation that ends in a reply, and what is known of that reply.

    ``label`` is whether people liked it, ``rejected`` a worse reply to the same.
    """

    messages: tuple[Message, ...]
    facts: tuple[str, ...] = ()
    label: bool | None = None
    rejected: str | None = None


def export(
    workspace: Workspace,
    log: ConversationLog,
    name: str,
    what: What,
    form: Form,
    out: Path | str,
    *,
    system: bool = True,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Exported:
    """Writes what people approved of, or said, to ``out`` (- is the standard output).

    ``system`` puts the persona's voice guide first in each row, as training does. ``progress`` is
    told how many of how many were gone through for personal data. The file is whole or not there.
    Raises BrandbotError for a form that ``what`` doesn't come in, or a place that can't be written
    to, and PersonaError for examples that can't be read.
    """
    if what not in FORMS or form not in FORMS[what]:
        raise BrandbotError(_refusal(what, form))
    persona = Persona.load(workspace.persona(name))
    reading = example_files.read(persona.folder / "examples")
    left: Counter[str] = Counter()
    items: Iterable[_Item]
    if what == "examples":
        errors = [problem for problem in reading.problems if problem.severity == "error"]
        if errors:
            raise PersonaError(persona.folder, errors, persona.language)
        items = _examples(reading.examples, persona, form, left)
    else:
        tested = Tested(reading.examples, persona.folder)
        if what == "conversations":
            beside = sum(e.split == "train" for e in reading.examples)
            said = _conversations(log, name, tested, form, left)
            items = _shared(list(said), persona.config.review.max_author, beside, left)
        else:
            review = persona.config.review
            over = approved.choose(reading.examples, review, persona.folder).left_out
            codes = {(one.example.provenance or {}).get("turn"): one.code for one in over}
            written = {(e.provenance or {}).get("turn"): e.messages for e in reading.examples}
            items = _preferences(log, name, tested, codes, written, left)
    done, own = Exported(), brands_own(workspace, persona)
    lines: dict[str, None] = {}
    items = list(items)
    for number, item in enumerate(items):
        progress(number, len(items))
        item, kinds = _cleaned(item, persona.config.language, own)
        for row in _rows(item, form, persona.system_prompt if system else "", persona.language):
            line = json.dumps(row, ensure_ascii=False)
            if line in lines:
                left["duplicate"] += 1
                continue
            lines[line] = None
            done.cleaned += bool(kinds)
    done.rows, done.left_out = len(lines), dict(left)
    _write(out, lines)
    return done


# --- What there is ------------------------------------------------------------------------------


def _examples(
    examples: Sequence[Example], persona: Persona, form: Form, left: Counter[str]
) -> Iterator[_Item]:
    chosen = approved.choose(examples, persona.config.review, persona.folder)
    left.update(one.code for one in chosen.left_out)
    for example in chosen.examples:
        if example.split == "test":
            left["test"] += 1
            continue
        if form in REPLY_BY_REPLY and example.provenance is None:
            for place in _replies(example.messages)[:-1]:
                yield _Item(example.messages[: place + 1])
        yield _Item(example.messages, example.facts)


def _conversations(
    log: ConversationLog, name: str, tested: Tested, form: Form, left: Counter[str]
) -> Iterator[tuple[str, _Item]]:
    """What was said, each with who asked last."""
    rejected = {
        turn for turn, last in _last_reviews(log, name).items()
        if last.decision == "rejected" or last.outcome == "rejected"
    }  # fmt: skip
    for visitor, said in _logged(log, name):
        stands: list[Turn] = []
        for turn in said:
            if turn.id in rejected:  # what was said after it builds on it
                left["rejected"] += 1
                break
            stands.append(turn)
        places = _replies(stands)
        if form not in REPLY_BY_REPLY:
            places = places[-1:]
        items = [(_asker(stands[:place], visitor), _told(stands[: place + 1])) for place in places]
        if len(stands) == len(said) and not any(item for _, item in items):
            left["unanswered"] += 1
        for person, item in items:
            if item is None:
                continue
            if tested.holds(Example(item.messages)) or Example(item.messages).split == "test":
                left["in-test-split"] += 1
            elif form == "kto" and item.label is None:
                left["unjudged"] += 1
            else:
                yield person, item


def _shared(
    said: list[tuple[str, _Item]], most: float, beside: int, left: Counter[str]
) -> list[_Item]:
    """The items, the oldest left out of whoever has more than their share.

    The share is of all that would be trained on: these, and the ``beside`` examples of the persona.
    """
    over = approved.over_share([{person} for person, _ in said], most, beside)
    left.update({"author-share": len(over)} if over else {})
    return [item for number, (_, item) in enumerate(said) if number not in over]


def _asker(before: Sequence[Turn], visitor: str) -> str:
    """Who said the last thing, as logged."""
    return next((turn.author for turn in reversed(before) if turn.author), visitor)


def _replies(said: Sequence[Turn | Message]) -> list[int]:
    return [place for place, one in enumerate(said) if one.role == "assistant"]


def _told(said: Sequence[Turn]) -> _Item | None:
    """Turns that end in a reply as a conversation: it begins with a person, and they take turns."""
    messages = joined([turn.message for turn in said])
    if messages and messages[0].role != "user":
        messages = messages[1:]
    if len(messages) < 2 or not all(message.content.strip() for message in messages):
        return None
    verdict = said[-1].verdict
    return _Item(
        tuple(messages), label=None if verdict in (None, "withdrawn") else verdict == "like"
    )


def _preferences(
    log: ConversationLog, name: str, tested: Tested, over: Mapping[Any, str],
    written: Mapping[Any, tuple[Message, ...]], left: Counter[str],
) -> Iterator[_Item]:  # fmt: skip
    """Edited over original replies; ``over`` are the turns whose examples are over the limits.

    Preferred is what the examples say today, by turn in ``written``: people edit that file, too.
    """
    for turn, last in _last_reviews(log, name).items():
        if last.decision != "approved":
            continue
        if turn in over:
            left[over[turn]] += 1
            continue
        messages = tuple(Message(role, content) for role, content in json.loads(last.prompt))
        whole = (*messages, Message("assistant", last.reply))
        if not messages or not last.original or not last.reply:
            left["expired"] += 1
            continue
        if last.outcome.startswith("written"):
            if last.turn not in written:
                left["taken-out"] += 1
                continue
            whole = written[last.turn]
        if whole[-1].content.strip() == last.original.strip():
            left["unchanged"] += 1
        elif tested.holds(pair := Example(whole)) or pair.split == "test":
            left["in-test-split"] += 1
        else:
            yield _Item(whole, label=True, rejected=last.original)


def _logged(log: ConversationLog, name: str) -> Iterator[tuple[str, list[Turn]]]:
    """The turns that stand of each of a persona's conversations, in the order they were begun.

    With whoever began it, who has the conversation's own name if they have none.
    """
    first = func.min(turns.c.id)
    query = (
        select(turns.c.conversation, conversations.c.author)
        .join(conversations, conversations.c.id == turns.c.conversation)
        .where(conversations.c.persona == name)
        .group_by(turns.c.conversation, conversations.c.author)
        .order_by(first)
    )
    found = log.database.read(lambda connection: list(connection.execute(query)))
    for conversation, author in found:
        yield author or conversation, log.history(conversation)


def _last_reviews(log: ConversationLog, name: str) -> dict[int, Any]:
    """The last decision about each reply, by the reply's number, in that order."""
    latest = select(func.max(reviews.c.id)).where(reviews.c.persona == name)
    query = (
        select(reviews)
        .where(reviews.c.id.in_(latest.group_by(reviews.c.turn)))
        .order_by(reviews.c.turn)
    )

    def work(connection: Connection) -> dict[int, Any]:
        return {row.turn: row for row in connection.execute(query)}

    return log.database.read(work)


# --- How it is written --------------------------------------------------------------------------


def _cleaned(item: _Item, tag: str, own: str) -> tuple[_Item, tuple[str, ...]]:
    facts = [Message("user", fact) for fact in item.facts]
    worse = [Message("assistant", item.rejected)] if item.rejected is not None else []
    count = len(item.messages)
    cleaned, kinds = clean_messages([*item.messages, *facts, *worse], tag, own)
    return _Item(
        tuple(cleaned[:count]),
        tuple(message.content for message in cleaned[count : count + len(facts)]),
        item.label,
        cleaned[-1].content if worse else None,
    ), kinds


def _rows(item: _Item, form: Form, system: str, language: str) -> Iterator[dict[str, Any]]:
    whole = build(system, item.messages, item.facts, language)
    if form == "sharegpt":
        yield {"conversations": [{"from": SHAREGPT[m.role], "value": m.content} for m in whole]}
        return
    told = [{"role": m.role, "content": m.content} for m in whole]
    if form == "messages":
        yield {"messages": told}
        return
    prompt, completion = told[:-1], told[-1:]
    worse = [{"role": "assistant", "content": item.rejected}]
    if form == "prompt-completion":
        yield {"prompt": prompt, "completion": completion}
    elif form == "dpo":
        yield {"prompt": prompt, "chosen": completion, "rejected": worse}
    else:
        yield {"prompt": prompt, "completion": completion, "label": item.label}
        if item.rejected is not None:
            yield {"prompt": prompt, "completion": worse, "label": False}


def _write(out: Path | str, lines: Iterable[str]) -> None:
    if str(out) == "-":
        for line in lines:
            sys.stdout.write(line + "\n")
        return
    file = Path(out)
    try:
        write_whole(file, "".join(line + "\n" for line in lines))
    except OSError as error:
        raise BrandbotError(
            f"{file} can't be written: {error.strerror or error}. Name a file in a folder that "
            "exists and may be written to."
        ) from error


def _refusal(what: str, form: str) -> str:
    known = [*get_args(What)]
    if what not in known:
        return f"{what!r} can't be exported. Choose one of: {', '.join(known)}."
    forms = FORMS[what]  # type: ignore[index]
    others = [other for other in known if form in FORMS[other]]
    more = f" {form} is a format of: {', '.join(others)}." if others else ""
    return f"{what} don't come as {form!r}. Choose one of: {', '.join(forms)}.{more}"
