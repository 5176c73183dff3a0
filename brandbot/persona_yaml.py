"""The YAML of ``persona.yaml``: every key with its line, and each problem where it stands.

Knows what YAML reads otherwise than people mean it, and nothing of what the settings are.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML, MappingNode, Node, SequenceNode
from ruamel.yaml.error import YAMLError

from brandbot.errors import Problem

LineOf = Callable[[tuple[str | int, ...]], int | None]
"""The line of a key, given the keys above it and itself."""


def _reader() -> YAML:
    """A safe YAML 1.2 reader: in 1.1 ``no`` is False and ``[Open now?, …]`` is an error."""
    found = YAML(typ="safe", pure=True)
    found.allow_duplicate_keys = True  # _collect_lines tells of them, with both lines
    return found


def value(text: str) -> Any:
    """One setting's value, as ``--set`` gives it; raises what ``problem_of`` explains."""
    return _reader().load(text)


def dump(settings: dict[str, Any], file: Path) -> None:
    """Writes settings as YAML, keys in their order."""
    writer = YAML(typ="rt", pure=True)
    writer.default_flow_style = False
    writer.width = sys.maxsize  # a long text folded after a backslash would gain a space
    with file.open("w", encoding="utf-8") as stream:
        writer.dump(settings, stream)


def read(text: str, file: str, problems: list[Problem]) -> tuple[dict[str, Any], LineOf] | None:
    """The settings and each one's line; None if it is no YAML, or no mapping."""
    if "\t" in text:
        lines = [n for n, line in enumerate(text.split("\n"), 1) if re.match(r" *\t", line)]
        if lines:
            problems.append(Problem("error", "yaml-tab", file, lines[0]))
            return None
    try:
        root = _reader().compose(text)
        raw = _reader().load(text)
    except (YAMLError, ValueError) as error:  # ValueError: a date such as 2026-13-40
        problems.append(problem_of(error, file, text))
        return None
    if not isinstance(root, MappingNode) or not isinstance(raw, dict):
        problems.append(Problem("error", "yaml-not-mapping", file, 1))
        return None
    lines_of: dict[tuple[str | int, ...], int] = {}
    _collect_lines(root, (), lines_of, problems, file)

    def line_of(path: tuple[str | int, ...]) -> int | None:
        while path and path not in lines_of:
            path = path[:-1]
        return lines_of.get(path)

    return raw, line_of


def slips(text: str, file: str) -> list[Problem]:
    """Lines that YAML reads as text, or not at all, and people mean as something else."""
    problems = []
    above = ""
    for number, line in enumerate(text.split("\n"), 1):
        slip = _SLIPS.search(line)
        if slip or _goes_on(above, line):
            shown = {"found": line.strip()[:60]}
            problems.append(Problem("warning", "yaml-text", file, number, shown))
        above = line
    return problems


def problem_of(error: Exception, file: str, text: str = "") -> Problem:
    """What is wrong, in words of what people write, from what the reader raised."""
    if isinstance(error, ValueError) and (day := _no_day(text)):
        return Problem("error", "yaml-date", file, day[0], {"found": day[1]})
    reason = str(getattr(error, "problem", None) or error)
    mark = getattr(error, "problem_mark", None)
    line = mark.line + 1 if mark else None
    if line and (opened := _never_closed(text.split("\n")[:line])):
        return Problem("error", "yaml-quote", file, opened)
    begun = getattr(error, "context_mark", None)
    if begun and "quoted scalar" in str(getattr(error, "context", "")):
        return Problem("error", "yaml-quote", file, begun.line + 1)
    shown = text.split("\n")[line - 1] if line else ""
    if needs := _NEEDS_QUOTES.match(shown):
        return Problem("error", "yaml-mark", file, line, {"found": needs[1].strip()[:60]})
    if reason.startswith("expected <block end>"):
        return Problem("error", "yaml-indent", file, line)
    return Problem("error", "yaml-syntax", file, line, {"reason": f"@{reason}", "message": reason})


_QUOTED = re.compile(r"""\s*(?:-\s+|\w+:\s+)+(["'])(.*)""")
_DATE = re.compile(r"(?:^|[:-]\s+)(\d{4}-\d\d?-\d\d?.*)")
_BEGINS = re.compile(r"\s*(?:-\s|\w+:)")


def _never_closed(lines: Sequence[str]) -> int | None:
    """The line where a text in quotation marks begins that is not closed before the next item.

    YAML reads such a text on to the next mark, and tells of an error there.
    """
    for number, line in enumerate(lines, 1):
        if not (opened := _QUOTED.match(line)):
            continue
        mark, rest = opened.groups()
        rest = re.sub(r"\\.", "", rest) if mark == '"' else rest.replace("''", "")
        after = next((other for other in lines[number:] if other.strip()), "-  ")
        if mark not in rest and _BEGINS.match(after):
            return number
    return None


def _no_day(text: str) -> tuple[int, str] | None:
    """The line of what looks like a date and is none; the reader does not tell where it stands."""
    for number, line in enumerate(text.split("\n"), 1):
        if dated := _DATE.search(line):
            try:
                value(dated[1])
            except ValueError:
                return number, dated[1]
    return None


# What YAML refuses as the beginning of a text, and a text that goes on after its closing quote.
_NEEDS_QUOTES = re.compile(
    r"\s*(?:-\s+|\w+:\s+)+([@%!&*`].*"
    r"|\"(?:\\.|[^\"\\])*\"\s*[^\s#\",].*|'(?:''|[^'])*'\s*[^\s#',].*)"
)

# What YAML reads otherwise than it was meant: a hashtag begins a comment, a dash without its space
# and a bullet are text, Word's quotes are letters, and a comma parts no items.
_SLIPS = re.compile(
    r"^\s*(?:-\s+|(?:name|greeting|handoff|starters|hello|thanks|goodbye|program):\s+)"
    r"(?![\"'#\[{|>])[^#]*\s#\w.*"
    r"|^\s*-[^\W\d_].*"
    r"|^\s*[•·▪‣]\s*\w.*"
    r"|^\s*(?:-\s+|\w+:\s+)[“”«„‘].*",
)


def _goes_on(before: str, line: str) -> bool:
    """Whether a dash is part of the item above, since it stands further right."""
    first, second = (re.match(r"( *)- +(?=[^\s-])", each) for each in (before, line))
    deeper = first and second and len(second[1]) > len(first[1])
    return bool(deeper) and not before.rstrip().endswith((":", "|", ">"))


def _collect_lines(
    node: Node,
    path: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    problems: list[Problem],
    file: str,
) -> None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            line = key.start_mark.line + 1
            if here in lines:
                values = {"key": ".".join(map(str, here)), "first": lines[here]}
                problems.append(Problem("error", "key-twice", file, line, values))
            lines.setdefault(here, line)  # of two, the first is read
            _collect_lines(value, here, lines, problems, file)
    elif isinstance(node, SequenceNode):
        for index, value in enumerate(node.value):
            lines[(*path, index)] = value.start_mark.line + 1
            _collect_lines(value, (*path, index), lines, problems, file)
