"""What examples are to each other: duplicates, contradictions, leaks between sides, sameness.

Every function takes a persona's examples and returns problems. Where two examples are alike, the
later one is named and points at the earlier.
"""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from brandbot.errors import Problem
from brandbot.examples import Example, normalise
from brandbot.questions import Question

ALIKE = 90
"""Similarity in percent (rapidfuzz's ratio) from which two normalised texts count as one."""

SOME = 4
"""Pairs from which on it can be told whether questions and replies changed places."""

# cdist compares texts up to 64 characters many at a time; longer ones need a candidate filter.
_SHORT = 64
_SHARED_WORDS = 0.6

_NO = re.compile(r"\b(?:no|not|never|nunca|tampoco|cannot)\b|n'?t\b", re.IGNORECASE)
_NO_MATTER = re.compile(
    r"\bno (?:worries|problem|te preocupes|se preocupe|pasa nada)\b|¿no\?", re.IGNORECASE
)
_FIGURE = re.compile(r"\d+(?:[.,:]\d+)*")
_FULL_HOUR = re.compile(r"(?<=\d)[:.]00\b")


def place(example: Example) -> str:
    return example.file if example.line is None else f"{example.file}:{example.line}"


def duplicates(examples: Sequence[Example]) -> list[Problem]:
    """Conversations that are there twice, to the letter or nearly so."""
    problems = []
    first: dict[tuple[str, ...], Example] = {}
    for example in examples:
        # What a reply was given to know belongs to it: other facts make another example.
        key = (*(normalise(message.content) for message in example.messages), *example.facts)
        if key in first:
            values = {"other": place(first[key])}
            problems.append(Problem("warning", "duplicate", example.file, example.line, values))
        else:
            first[key] = example
    kept = list(first.values())
    told: set[int] = set()
    said = [" ".join(key[: len(example.messages)]) for key, example in first.items()]
    for earlier, later in close_pairs(said):
        one, other = kept[earlier], kept[later]
        alike = len(one.messages) == len(other.messages) and one.facts == other.facts
        if later in told or not alike:
            continue
        told.add(later)
        prompts = normalise(one.prompt), normalise(other.prompt)
        contrary = contradict(one.reply, other.reply)
        if contrary and prompts[0] == prompts[1]:
            continue  # ``contradictions`` tells it
        code = "contradiction" if contrary and same_question(*prompts) else "near-duplicate"
        values = {"other": place(one)}
        problems.append(Problem("warning", code, other.file, other.line, values))
    return problems


def swapped(pairs: Sequence[tuple[str, str]]) -> bool:
    """Whether prompts seem to stand where replies belong: (prompt, reply) of one file.

    Replies that ask while prompts don't, or replies that are as careless as people and much
    shorter than prompts that never are.
    """
    if len(pairs) < SOME:
        return False
    prompts, replies = (
        [prompt.strip() for prompt, _ in pairs],
        [reply.strip() for _, reply in pairs],
    )

    def share(texts: Sequence[str], is_so: Callable[[str], bool]) -> float:
        return sum(map(is_so, texts)) / len(texts)

    length = statistics.median(map(len, replies)) / max(statistics.median(map(len, prompts)), 1)
    if share(replies, _asks) >= 0.8 and share(prompts, _asks) <= 0.2 and length < 2:
        return True  # longer, they are a brand's that asks back
    careless = share(replies, _careless) >= 0.25 and share(prompts, _careless) <= 0.05
    return careless and length < 0.7 and len(pairs) >= 2 * SOME


def _asks(text: str) -> bool:
    return text.endswith("?")


def _careless(text: str) -> bool:
    return text[:1].islower()


def swapped_files(examples: Sequence[Example]) -> list[Problem]:
    """Files whose questions and replies seem to have changed places, and replies that echo."""
    files: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    problems = []
    for example in examples:
        files[example.file].append((example.prompt, example.reply))
        if len(example.messages) == 2 and normalise(example.prompt) == normalise(example.reply):
            problems.append(Problem("warning", "echo", example.file, example.line))
    problems += [Problem("warning", "swapped", name) for name, p in files.items() if swapped(p)]
    return problems


def contradictions(examples: Sequence[Example]) -> list[Problem]:
    """Different replies to the same words after the same conversation.

    Whether two replies contradict each other in fact takes a person; these are the ones to look at.
    """
    from rapidfuzz import fuzz

    problems = []
    first: dict[tuple[str, ...], tuple[Example, str]] = {}
    for example in examples:
        context = (*(normalise(m.content) for m in example.messages[:-1]), *example.facts)
        reply = normalise(example.reply)
        if context not in first:
            first[context] = (example, reply)
            continue
        other, other_reply = first[context]
        contrary = reply != other_reply and contradict(example.reply, other.reply)
        if contrary or fuzz.ratio(reply, other_reply) < ALIKE:
            values = {"other": place(other)}
            problems.append(Problem("warning", "contradiction", example.file, example.line, values))
    return problems


def contradict(one: str, other: str) -> bool:
    """Whether replies that are alike differ in what decides: a figure, or a no."""

    def says_no(reply: str) -> bool:
        return bool(_NO.search(_NO_MATTER.sub("", reply.replace("’", "'"))))

    def figures(reply: str) -> list[str]:
        return sorted(re.sub(r"\D", "", n) for n in _FIGURE.findall(_FULL_HOUR.sub("", reply)))

    return figures(one) != figures(other) or says_no(one) != says_no(other)


def split_leaks(examples: Sequence[Example]) -> list[Problem]:
    """Prompts that are nearly the same on the training side and on another.

    Equal prompts are always on one side, since the side hangs on the normalised prompt.
    """
    first: dict[str, Example] = {}
    for example in examples:
        first.setdefault(normalise(example.prompt), example)
    prompts, kept = list(first), list(first.values())
    problems = []
    for one, two in close_pairs(prompts, cutoff=85):
        sides = {kept[one].split, kept[two].split}
        if "train" in sides and len(sides) == 2 and same_question(prompts[one], prompts[two]):
            trained, held = (one, two) if kept[one].split == "train" else (two, one)
            example = kept[held]
            values = {"other": place(kept[trained]), "side": f"@{example.split}"}
            problems.append(Problem("warning", "split-leak", example.file, example.line, values))
    return problems


def eval_leaks(examples: Sequence[Example], evals: Sequence[Question]) -> list[Problem]:
    """Evaluation questions that the model is trained on."""
    problems: list[Problem] = []
    trained = {normalise(e.prompt): e for e in reversed(examples) if e.split != "test"}
    questions = [(normalise(q.prompt), q.file, q.line) for q in evals]
    asked: dict[str, tuple[str, int | None]] = {}
    for question, name, number in questions:
        asked.setdefault(question, (name, number))
        if question in trained:
            values = {"other": place(trained[question])}
            problems.append(Problem("warning", "eval-leak", name, number, values))
    prompts = [*trained, *(question for question in asked if question not in trained)]
    told: set[int] = set()
    for one, two in close_pairs(prompts, cutoff=85):
        crosses = one < len(trained) <= two and two not in told
        if crosses and same_question(prompts[one], prompts[two]):
            told.add(two)
            name, number = asked[prompts[two]]
            values = {"other": place(trained[prompts[one]])}
            problems.append(Problem("warning", "eval-leak", name, number, values))
    return problems


def same_question(one: str, two: str) -> bool:
    """Whether two prompts that look alike differ in spelling only, and not in what they ask.

    ``que es la tae`` and ``que es la tin`` share nearly every letter: what decides is how alike
    the words are that they do not share.
    """
    from rapidfuzz import fuzz

    words, others = Counter(one.split()), Counter(two.split())
    left = "".join(word for word in one.split() if word not in others)
    right = "".join(word for word in two.split() if word not in words)
    if not left and not right:
        return True
    if re.sub(r"\D", "", left) != re.sub(r"\D", "", right):
        return False  # another size, year or order
    if min(len(left), len(right)) == 0:
        return max(len(left), len(right)) <= 3  # a word such as "a" or "the" more or less
    return fuzz.ratio(left, right) >= 75


def close_pairs(texts: Sequence[str], cutoff: int = ALIKE) -> Iterator[tuple[int, int]]:
    """Index pairs ``(i, j)``, i < j, of texts whose ratio is at least ``cutoff`` percent, sorted.

    Short texts are all compared. Of longer ones only those that share at least 60% of their words
    (Jaccard), found by prefix filtering (Chaudhuri, Ganti, Kaushik 2006): two such sets share a
    word among the rarest 40% of each, so that only those words are looked up.
    """
    pairs = {*_short_pairs(texts, cutoff), *_long_pairs(texts, cutoff)}
    return iter(sorted(pairs))


def _short_pairs(texts: Sequence[str], cutoff: int) -> Iterator[tuple[int, int]]:
    import numpy as np
    from rapidfuzz import fuzz, process

    short = [index for index, text in enumerate(texts) if len(text) <= _SHORT]
    chosen = [texts[index] for index in short]
    for start in range(0, len(short), 1000):  # a block of scores at a time, a byte each
        scores = process.cdist(
            chosen[start : start + 1000], chosen[start:], scorer=fuzz.ratio,
            score_cutoff=cutoff, dtype=np.uint8,
        )  # fmt: skip
        for row, column in zip(*np.nonzero(scores), strict=True):
            if row < column:
                yield short[start + int(row)], short[start + int(column)]


def _long_pairs(texts: Sequence[str], cutoff: int) -> Iterator[tuple[int, int]]:
    from rapidfuzz import fuzz

    # Somewhat shorter ones too, so that a pair on both sides of the border is seen.
    words = {
        index: set(text.split()) for index, text in enumerate(texts) if len(text) > _SHORT * 0.8
    }
    frequency = Counter(word for found in words.values() for word in found)
    holders: dict[str, list[int]] = defaultdict(list)
    for index, found in words.items():
        rarest = sorted(found, key=lambda word: (frequency[word], word))
        prefix = rarest[: len(found) - math.ceil(_SHARED_WORDS * len(found)) + 1]
        candidates = {other for word in prefix for other in holders[word]}
        for word in prefix:
            holders[word].append(index)
        for other in candidates:
            sizes = sorted((len(found), len(words[other])))
            if sizes[0] < _SHARED_WORDS * sizes[1]:
                continue
            if fuzz.ratio(texts[index], texts[other], score_cutoff=cutoff):
                yield other, index


def sameness(examples: Sequence[Example]) -> list[Problem]:
    """Too little variety in how replies open and how long they are, and in what is asked."""
    if len(examples) < 10:
        return []
    problems = []
    replies = [normalise(example.reply).split() for example in examples]
    opening, count = _commonest(" ".join(reply[:3]) for reply in replies if len(reply) > 3)
    if count >= 5 and count > 0.10 * len(examples):
        values = {"found": opening, "count": count, "percent": round(100 * count / len(examples))}
        problems.append(Problem("warning", "same-opening", "examples", None, values))
    lengths = [len(reply) for reply in replies]
    middle = statistics.median(lengths)
    close = sum(abs(length - middle) <= 0.15 * middle for length in lengths)
    if middle >= 6 and len(examples) >= 20 and close >= 0.8 * len(examples):
        values = {"words": round(middle), "percent": round(100 * close / len(examples))}
        problems.append(Problem("note", "same-length", "examples", None, values))
    prompts = [normalise(example.prompt).split() for example in examples]
    asked, times = _commonest(" ".join(prompt[:3]) for prompt in prompts if len(prompt) > 2)
    if times >= 5 and times > 0.25 * len(examples):
        values = {"found": asked, "count": times, "percent": round(100 * times / len(examples))}
        problems.append(Problem("note", "same-prompts", "examples", None, values))
    topic, times = _commonest(w for prompt in prompts for w in {*prompt} if len(w) >= 5)
    if times >= 10 and times > 0.5 * len(examples):
        values = {"found": topic, "count": times, "percent": round(100 * times / len(examples))}
        problems.append(Problem("note", "same-topic", "examples", None, values))
    return problems


def _commonest(texts: Iterator[str]) -> tuple[str, int]:
    most = Counter(texts).most_common(1)
    return most[0] if most else ("", 0)
