"""Tables as people save them: text of any encoding, JSON lines, CSV rows.

What is wrong is added to a list of problems, and a bad row never costs another row. Knows nothing
of what the rows hold, but for the names a question's and a reply's column go by.
"""

from __future__ import annotations

import csv
import json
import re
import struct
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from itertools import groupby
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from brandbot.errors import Problem

LONGEST_ROW = 40
"""Lines a row of a CSV file may span; beyond that a quote was left open."""

OLE = b"\xd0\xcf\x11\xe0"
"""How old Office files begin, and those with a password."""

# What a damaged file makes zipfile, zlib and the parsers raise; LookupError, AttributeError and the
# like come from parts that are missing.
DAMAGED = (
    BadZipFile, zlib.error, struct.error, EOFError, OSError, SyntaxError, LookupError,
    AttributeError, ArithmeticError, AssertionError, RuntimeError, TypeError, ValueError,
)  # fmt: skip

PROMPT_NAMES = frozenset(
    [
        "prompt", "question", "user", "input", "instruction", "customer", "message", "ask",
        "q", "pregunta", "usuario", "cliente", "mensaje", "entrada", "consulta", "peticion",
        "instruccion", "prompts", "questions", "preguntas", "mensajes",
    ]
)  # fmt: skip
REPLY_NAMES = frozenset(
    [
        "completion", "reply", "answer", "response", "output", "assistant", "bot", "a",
        "respuesta", "contestacion", "salida", "asistente", "completado", "completions", "replies",
        "answers", "respuestas",
    ]
)  # fmt: skip
FACT_NAMES = frozenset(["facts", "fact", "context", "datos", "dato", "hechos"])
"""Keys and columns that hold what a reply was given to know, a line each."""

OTHERS_FACTS = "context"
"""Others' word for facts, and for much else: it is told that they are taken for facts."""

# Of several names of a question or a reply these are meant: a bot's own answer, or a customer's
# name, may well stand beside them.
_SURE_NAMES = frozenset(
    [
        "prompt", "prompts", "question", "questions", "pregunta", "preguntas", "completion",
        "completions", "reply", "replies", "answer", "answers", "response", "respuesta",
        "respuestas",
    ]
)  # fmt: skip
# Columns that other tools write and nobody needs to hear about.
QUIET_NAMES = frozenset(
    [
        "id", "meta", "metadata", "provenance", "source", "author", "date", "fecha", "tags",
    ]
)  # fmt: skip


def normalise(text: str) -> str:
    """Lower case, no accents, punctuation or repeated spaces: what makes two prompts the same."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c))
    return " ".join(kept.split()) or text.strip()


def header_name(cell: str) -> str:
    """What a column or a field is known by: ``Válido hasta`` is ``valido_hasta``."""
    return normalise(cell).replace(" ", "_")


def column_of(names: Sequence[str], wanted: AbstractSet[str]) -> int | None:
    """The column whose name is one of ``wanted``: a plain one if there is one, else the first."""
    found = [index for index, name in enumerate(names) if name in wanted]
    return next((i for i in found if names[i] in _SURE_NAMES), found[0] if found else None)


# --- Files ----------------------------------------------------------------------------------------

NOTES = frozenset(["README.MD", "LEEME.MD", "README.TXT", "LEEME.TXT", "THUMBS.DB", "DESKTOP.INI"])
"""Notes among people, and what Windows leaves in folders."""


def people_files(folder: Path, problems: list[Problem] | None = None) -> dict[str, Path]:
    """The files that people put into a folder, by their path in it, in its order.

    Hidden ones, Office's locks and ``NOTES`` are none; a folder that isn't there has none. What
    can't be read is added to ``problems``: a name in an old encoding, as from Windows' archives,
    and a link to a folder, to nothing, or out of the persona's folder: what came in an archive
    could make any file of this machine known to customers.
    """
    if not folder.is_dir():
        return {}
    home = folder.resolve().parent
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        hidden = any(part.startswith((".", "~$")) for part in name.split("/"))
        if hidden or path.name.upper() in NOTES:
            continue
        shown = name.encode("utf-8", "replace").decode()
        if shown != name and problems is not None:
            problems.append(Problem("warning", "file-name", shown))
        led_out = not path.resolve().is_relative_to(home)
        if path.is_symlink() and (led_out or not path.is_file()) and problems is not None:
            problems.append(Problem("warning", "link", name))
        if shown == name and path.is_file() and not led_out:
            found[name] = path
    return found


# --- Text -----------------------------------------------------------------------------------------


OLD_ENCODINGS = ("cp1252", "cp850", "mac_roman")
"""Windows, and Excel's "CSV (MS-DOS)" and "CSV (Macintosh)"."""

_AT_HOME = re.compile(
    r"(?<=[a-z])[áéíóúüñçàèìòùâêîôûäëïöãõ]|[áéíóúñ](?=[a-z])|[¿¡](?=\w)"
    r"|(?<= )[–—](?= )|[“‘](?=\w)|(?<=\w)[.,!?]?”|£(?=\d)|(?<=\d) ?€"
    r"|(?<=[a-z])’(?=[a-z])|(?<=n)’(?=t)|(?<=[a-z])’(?=s)"
)
_ASTRAY = re.compile(
    r"(?<=[a-z])[A-ZÀ-Þ]|(?<= )[ñáéíóúìòù](?= )|(?<=n)í(?=t\b)|(?<=[a-z])í(?=s\b)|[œúŸ](?=\d)"
    r"|[¤¨¢ƒ‚„†‡ˆ‰‹›ı\u2500-\u259f\ufffd]"
)


def _likely(text: str) -> int:
    """How much a text looks decoded rightly: letters at home, less those astray."""
    return len(_AT_HOME.findall(text)) - len(_ASTRAY.findall(text))


def _decode_old(raw: bytes) -> str:
    """Text of an old encoding; lines that are UTF-8 all the same, as after pasting, stay so."""
    lines = raw.split(b"\n")
    whole: dict[int, str] = {}
    for number, line in enumerate(lines):
        try:
            whole[number] = line.decode("utf-8")
        except UnicodeDecodeError:
            continue
    old = b"\n".join(line for number, line in enumerate(lines) if number not in whole)
    found = max((old.decode(e, errors="replace") for e in OLD_ENCODINGS), key=_likely)
    rest = iter(found.split("\n"))
    return "\n".join(whole[n] if n in whole else next(rest) for n in range(len(lines)))


def _special(text: str) -> str:
    """A few of the words that show whether a text was decoded rightly."""
    found = re.findall(r"\S*[^\x00-\x7f]\S*", text)
    return ", ".join(dict.fromkeys(word[:30] for word in found[:4]))


def kind(value: Any) -> str:
    """What a JSON value is, for people: an entry of ``texts.WORDS``."""
    return f"@json-{type(value).__name__}"


def decode(raw: bytes, file: str, problems: list[Problem]) -> str:
    """Text of a file in UTF-8 (with or without BOM), UTF-16 or, from old Excel, Latin-1."""
    if raw.startswith(b"PK\x03\x04"):
        problems.append(Problem("error", "office-file", file))
        return ""
    if raw.startswith(b"{\\rtf"):
        problems.append(Problem("error", "rich-text-file", file))
        return ""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = raw.decode("utf-16", errors="replace")
    elif len(raw) > 3 and raw[1] == raw[3] == 0 and raw[0] and raw[2]:  # without its mark
        text = raw.decode("utf-16-le", errors="replace")
    else:
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            text = _decode_old(raw.removeprefix(b"\xef\xbb\xbf"))
            problems.append(Problem("warning", "not-utf8", file, line, {"found": _special(text)}))
    if "\0" in text:
        problems.append(Problem("error", "binary-file", file))
        return ""
    return text.replace("\r\n", "\n").replace("\r", "\n")


_COMMENT_END = re.compile("(?:--|[–—])>")
"""Word makes one dash of two."""


def without_comments(
    text: str, file: str, problems: list[Problem], *, keep_lines: bool = True
) -> str:
    """Markdown without its comments ``<!-- … -->``; its lines keep their numbers, if wanted.

    One that never ends, or not before the next begins in a later line, hides its own line only.
    """
    kept: list[str] = []
    at, ends, line, counted = 0, True, 1, 0
    while (start := text.find("<!--", at)) >= 0:
        kept.append(text[at:start])
        end = _COMMENT_END.search(text, start + 4) if ends else None
        ends = end is not None
        line_end = text.find("\n", start)
        line_end = len(text) if line_end < 0 else line_end
        if end and "<!--" not in text[line_end : end.start()]:
            kept.append("\n" * text.count("\n", start, end.end()) * keep_lines)
            at = end.end()
        else:
            values = {"found": text[start:line_end][:40]}
            line, counted = line + text.count("\n", counted, start), start
            problems.append(Problem("warning", "open-comment", file, line, values))
            at = line_end
    return "".join([*kept, text[at:]])


# --- JSON Lines -----------------------------------------------------------------------------------


_OF_A_LIST = re.compile(r"^\s*[\[\]]\s*,?\s*$|^\s*\[\s*\{|\}\s*,\s*$")


class _KeyTwice(ValueError):
    """Of two values for a key JSON's own rule would silently keep the last."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _KeyTwice(next(key for key in keys if keys.count(key) > 1))
    return row


def json_rows(text: str, file: str, problems: list[Problem]) -> Iterator[tuple[int, Any]]:
    """Line number and object of each line that holds one."""
    if _is_printed_over_lines(text):
        problems.append(Problem("error", "json-over-lines", file, 1))
        return
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_once)
            if re.search(r"\\u[dD][89a-fA-F]", line):
                row = _without_half_characters(row)
        except _KeyTwice as twice:
            values = {"key": str(twice)}
            problems.append(Problem("error", "json-key-twice", file, number, values))
            continue
        except (ValueError, RecursionError) as error:
            problems.append(_slip(line, error, file, number))
            continue
        if not isinstance(row, dict):
            values = {"found": kind(row)}
            problems.append(Problem("error", "json-not-object", file, number, values))
            continue
        yield number, row


def _is_printed_over_lines(text: str) -> bool:
    """Whether the whole is one JSON list or object, as programs print them for people."""
    lines = [line for line in text.split("\n") if line.strip()]
    if len(lines) < 3 or lines[0].strip() not in ("[", "{", "[{"):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _slip(line: str, error: Exception, file: str, number: int) -> Problem:
    """What a line that is no JSON is likely to have gone wrong by."""
    if re.search("[“”„«»]", line):
        return Problem("error", "json-quotes", file, number)
    if _OF_A_LIST.search(line):
        return Problem("error", "json-list", file, number)
    if re.match(r"\s*\{\s*'", line):
        return Problem("error", "json-single-quotes", file, number)
    if re.search(r",\s*\}\s*$", line):
        return Problem("error", "json-comma", file, number)
    reason = getattr(error, "msg", "too deeply nested")
    values = {"reason": f"@{reason}", "message": reason}
    return Problem("error", "bad-json", file, number, values)


def _without_half_characters(row: Any) -> Any:
    """A row whose cut emoji (half a surrogate pair, which no file can hold) became U+FFFD."""
    text = json.dumps(row, ensure_ascii=False).encode("utf-16", "surrogatepass")
    return json.loads(text.decode("utf-16", "replace"))


# --- CSV ------------------------------------------------------------------------------------------


def csv_rows(text: str, file: str, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each row; commas, semicolons, tabs or bars, as Excel writes them.

    A quote that is never closed costs its own line only.
    """
    offset = 1
    told = re.match(r"sep=(.)\n", text)
    if told:  # Excel's own hint
        text, offset = text[told.end() :], 2
    inside = _unwrapped(text)
    delimiter = told.group(1) if told and inside == text else _delimiter(inside)
    text = inside
    text = _straighten_quotes(text, delimiter)
    _tell_of_mixed(text, delimiter, file, offset, problems)
    csv.field_size_limit(10_000_000)
    lines = [line + "\n" for line in text.split("\n")]
    start = 0
    while start < len(lines):
        reader = csv.reader(
            (lines[n] for n in range(start, len(lines))),
            delimiter=delimiter,
            skipinitialspace=True,
            strict=True,
        )
        base = start
        try:
            for row in reader:
                if base + reader.line_num - start > LONGEST_ROW:
                    raise csv.Error("row too long")
                if base + reader.line_num - start == 1 and _is_cut(
                    lines[start], lines[0], delimiter
                ):
                    values = {"found": lines[start].strip()[:80]}
                    problems.append(
                        Problem("warning", "cut-at-comma", file, start + offset, values)
                    )
                yield start + offset, row
                start = base + reader.line_num
        except csv.Error as error:
            ran_on = base + reader.line_num - start > 1 or "end of data" in str(error)
            if ran_on:
                problems.append(Problem("error", "open-quote", file, start + offset))
            else:
                cells, problem = _leniently(lines[start], delimiter, file, start + offset, error)
                problems += [problem] if problem else []
                if cells is not None:
                    yield start + offset, cells
            start += 1


def _leniently(
    line: str, delimiter: str, file: str, number: int, error: csv.Error
) -> tuple[list[str] | None, Problem | None]:
    """The cells of a line with astray quotes, and what is to be said of it."""
    try:
        row = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True))
    except (csv.Error, StopIteration):
        return None, Problem("error", "bad-csv", file, number, {"reason": str(error)})
    # A quoted cell that ended too early is read otherwise than it stands there.
    torn = [cell for cell in row if '"' in cell and cell not in line]
    if not torn:
        return row, None
    return row, Problem("warning", "quote-inside", file, number, {"found": torn[0][:40]})


def _unwrapped(text: str) -> str:
    """Examples as they stand there, or out of the one quoted cell that a program put each row into.

    Only below a header of questions and replies: elsewhere a cell may well hold commas.
    """
    lines = [line.strip().rstrip(",;\t") for line in text.split("\n")]
    full = [line for line in lines if line]
    if not full or not all(re.fullmatch(r'"(?:[^"]|"")*"', line) for line in full):
        return text
    inside = [line[1:-1].replace('""', '"') for line in lines]
    names = [header_name(cell) for cell in re.split(r"[,;\t|]", next(filter(None, inside)))]
    is_header = PROMPT_NAMES.intersection(names) and REPLY_NAMES.intersection(names)
    return "\n".join(inside) if is_header else text


def _delimiter(text: str) -> str:
    """What separates the header's cells; the header may stand under a title.

    Where no header of questions and replies tells, it is what most lines in a row have the same
    number of: the comma of ``3,60`` is not in the header, that of a title not in the rows.
    """
    top = [line for line in text[:5000].split("\n") if line.strip()][:10]
    for line in top[:3]:
        for delimiter in ",;\t|":
            names = [header_name(cell) for cell in line.split(delimiter)]
            if PROMPT_NAMES.intersection(names) and REPLY_NAMES.intersection(names):
                return delimiter
    bare = [re.sub(r'"[^"]*"', "", line) for line in top]

    def alike(delimiter: str) -> tuple[int, int]:
        runs = groupby(line.count(delimiter) for line in bare)
        return max(((len(list(run)), count) for count, run in runs if count), default=(0, 0))

    # Of two that would do the comma is the one of 3,60.
    whole = [mark for mark in "\t;|" if len({line.count(mark) for line in bare} - {0}) == 1]
    whole = [mark for mark in whole if all(mark in line for line in bare)]
    return max(",;\t|", key=alike) if not whole else max(whole, key=alike)


def _is_cut(line: str, header: str, delimiter: str) -> bool:
    """Whether a comma that belongs to a text seems to separate: words follow it after a space, and
    others of its line have none; or it is the one of 1,20 €."""
    bare, above = (re.sub(r'"[^"]*"', "", text) for text in (line, header))
    spaced = re.search(rf"{re.escape(delimiter)} [^\W\d_]", bare)
    tight = re.search(rf"{re.escape(delimiter)}(?=\S)", bare)
    same = bare.count(delimiter) == above.count(delimiter) and line != header
    price = delimiter == "," and re.search(r"\d,\d\d ?€", bare)
    return delimiter in ",;" and same and bool((spaced and tight) or price)


def _tell_of_mixed(
    text: str, delimiter: str, file: str, offset: int, problems: list[Problem]
) -> None:
    """Says so if the header's cells are separated by another mark than all those below it."""
    bare = [re.sub(r'"[^"]*"', "", line) for line in text.split("\n") if line.strip()][:50]
    header, *rows = bare or [""]
    count = header.count(delimiter)
    for other in ",;\t|":
        strange = rows and all(row.count(other) == count for row in rows)
        fitting = all(row.count(delimiter) == count for row in rows)
        if count and other not in header and strange and not fitting:
            values = {"header": f"@mark-{delimiter}", "rows": f"@mark-{other}"}
            problems.append(Problem("error", "mixed-separators", file, offset, values))


def _straighten_quotes(text: str, delimiter: str) -> str:
    """Smart quotes that stand around a whole cell mean what straight ones do.

    Not in lines with straight ones, nor between two of them.
    """
    edge = re.escape(delimiter)
    smart = re.compile(rf"(^|{edge} *)[“„]([^”“„\n]*)[”“](?= *(?:{edge}|$))")
    lines, quoted = [], False
    for line in text.split("\n"):
        inside = quoted or '"' in line
        lines.append(line if inside else smart.sub(r'\1"\2"', line))
        quoted ^= line.count('"') % 2 == 1
    return "\n".join(lines)
