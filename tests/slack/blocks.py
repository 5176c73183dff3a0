"""Whether blocks and views are ones that Slack takes: what is wrong with them, in its words.

Limits: https://docs.slack.dev/reference/block-kit/blocks and .../block-kit/block-elements; a modal's:
https://docs.slack.dev/reference/views/modal-views.
"""

from __future__ import annotations

from typing import Any

from tests.slack.state import Json

MOST_BLOCKS, MOST_VIEW_BLOCKS = 50, 100
MARKDOWN = 12_000
"""Characters of all ``markdown`` blocks of a message together."""

KNOWN = {
    "actions", "alert", "card", "carousel", "context", "context_actions", "data_table", "divider",
    "file", "header", "image", "input", "markdown", "plan", "rich_text", "section", "table",
    "task_card", "video",
}  # fmt: skip
ELEMENTS = {"actions": 25, "context": 10, "context_actions": 5}
VIEW_TEXTS = {"title": 24, "submit": 24, "close": 24}


def problems(blocks: Any, most: int = MOST_BLOCKS) -> list[str]:
    """All problems of a message's or view's blocks; none if it is empty."""
    if not isinstance(blocks, list):
        return ["must be an array [json-pointer:/blocks]"]
    found = []
    if len(blocks) > most:
        found.append(f"no more than {most} items allowed [json-pointer:/blocks]")
    names = [b["block_id"] for b in blocks if isinstance(b, dict) and b.get("block_id")]
    if len(names) != len(set(names)):
        found.append("block_id already exists [json-pointer:/blocks]")
    for number, block in enumerate(blocks):
        where = f"/blocks/{number}"
        if not isinstance(block, dict) or block.get("type") not in KNOWN:
            kind = block.get("type") if isinstance(block, dict) else block
            found.append(f"unsupported type: {kind} [json-pointer:{where}/type]")
        else:
            found += _block(block, where)
    return found


def markdown_characters(blocks: list[Json]) -> int:
    return sum(len(b.get("text", "")) for b in blocks if b.get("type") == "markdown")


def view_problems(view: Any) -> list[str]:
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        return ["unsupported type [json-pointer:/view/type]"]
    found = problems(view.get("blocks"), MOST_VIEW_BLOCKS)
    if view["type"] == "modal":
        if "title" not in view:
            found.append("missing required field: title [json-pointer:/view]")
        inputs = any(b.get("type") == "input" for b in view.get("blocks") or [])
        if inputs and "submit" not in view:
            found.append("missing required field: submit [json-pointer:/view]")
    for name, most in VIEW_TEXTS.items():
        if name in view:
            found += _text(view[name], f"/view/{name}", most, plain=True)
    found += _length(view.get("private_metadata", ""), "/view/private_metadata", 3000, least=0)
    return found + _length(view.get("callback_id", ""), "/view/callback_id", 255, least=0)


def elements(blocks: list[Json]) -> list[tuple[str, Json]]:
    """(block_id, element) of everything that can be clicked or filled in."""
    found = []
    for block in blocks:
        parts = [*block.get("elements", []), block.get("accessory"), block.get("element")]
        found += [(block.get("block_id", ""), part) for part in parts if part]
    return [(name, part) for name, part in found if "action_id" in part]


def _block(block: Json, where: str) -> list[str]:
    kind = block["type"]
    found = _length(block.get("block_id", "x"), f"{where}/block_id", 255)
    if kind == "section":
        if "text" not in block and "fields" not in block:
            found.append(f"missing required field: text or fields [json-pointer:{where}]")
        if "text" in block:
            found += _text(block["text"], f"{where}/text", 3000)
        for number, part in enumerate(block.get("fields", [])):
            found += _text(part, f"{where}/fields/{number}", 2000)
        if len(block.get("fields", [])) > 10:
            found.append(f"no more than 10 items allowed [json-pointer:{where}/fields]")
    elif kind == "header":
        found += _text(block.get("text"), f"{where}/text", 150, plain=True)
    elif kind == "markdown":
        found += _length(block.get("text"), f"{where}/text", None)
    elif kind == "input":
        found += _text(block.get("label"), f"{where}/label", 2000, plain=True)
        if "element" not in block:
            found.append(f"missing required field: element [json-pointer:{where}]")
    elif kind in ELEMENTS:
        parts = block.get("elements")
        if not parts or len(parts) > ELEMENTS[kind]:
            found.append(f"1 to {ELEMENTS[kind]} items allowed [json-pointer:{where}/elements]")
        for number, part in enumerate(parts or []):
            found += _element(part, f"{where}/elements/{number}")
    if "accessory" in block:
        found += _element(block["accessory"], f"{where}/accessory")
    return found


def _element(part: Any, where: str) -> list[str]:
    if not isinstance(part, dict) or "type" not in part:
        return [f"missing required field: type [json-pointer:{where}]"]
    found = _length(part.get("action_id", "x"), f"{where}/action_id", 255)
    if part["type"] in ("mrkdwn", "plain_text"):
        found += _text(part, where, 2000)
    elif part["type"] in ("button", "icon_button"):
        found += _text(part.get("text"), f"{where}/text", 75, plain=True)
        found += _length(part.get("value", "x"), f"{where}/value", 2000)
    elif part["type"] == "feedback_buttons":
        for name in ("positive_button", "negative_button"):
            button = part.get(name) or {}
            found += _text(button.get("text"), f"{where}/{name}/text", 75, plain=True)
            found += _length(button.get("value"), f"{where}/{name}/value", 2000)
    return found


def _text(value: Any, where: str, most: int, *, plain: bool = False) -> list[str]:
    kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
    if not isinstance(value, dict) or value.get("type") not in kinds:
        return [f"must be a text object of type {' or '.join(kinds)} [json-pointer:{where}]"]
    return _length(value.get("text"), f"{where}/text", most)


def _length(value: Any, where: str, most: int | None, *, least: int = 1) -> list[str]:
    if not isinstance(value, str):
        return [f"must be a string [json-pointer:{where}]"]
    if len(value) < least:
        return [f"must be more than {least - 1} characters [json-pointer:{where}]"]
    if most is not None and len(value) > most:
        return [f"must be less than {most + 1} characters [json-pointer:{where}]"]
    return []
