"""What stands below a reply, and the forms that open from it: Slack's Block Kit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.slack.mrkdwn import write
from connectors.slack.split import split
from connectors.slack.texts import REASONS, say

MOST_SOURCES = 10
SECTION = 3_000
"""Characters a section of a message holds."""

QUOTE = 200
"""Characters of a source's quote; a context element holds 3,000 in all."""

LONGEST_INPUT, LONGEST_LABEL, LONGEST_VALUE = 3_000, 2_000, 2_000
"""Characters that Slack's text fields, their labels and the values of buttons hold."""

FEEDBACK, IMPROVE = "brandbot_feedback", "brandbot_improve"
DISLIKED, IMPROVED, FORGET = "brandbot_disliked", "brandbot_improved", "brandbot_forget"
POST_VOICE = "brandbot_post_voice"


def sources(cited: Sequence[Mapping[str, Any]], language: str) -> list[dict[str, Any]]:
    """Where a reply has something from: number, file, heading, page or row, and a quote."""
    lines = []
    for source in cited[:MOST_SOURCES]:
        where = str(source["file"])
        if source.get("heading") and source["heading"] != source["file"]:
            where += f" › {source['heading']}"
        for key in ("page", "row"):
            if source.get(key) is not None:
                where += " · " + say(language, f"position_{key}", number=source[key])
        quote = " ".join(str(source["quote"]).split())
        quote = quote if len(quote) <= QUOTE else quote[:QUOTE].rstrip() + "…"
        lines.append(f"{source['number']}. {write(where)}: “{write(quote)}”")
    if not lines:
        return []
    title = f"*{say(language, 'sources')}*"
    return [_context("\n".join([title, *lines])[:3000])]


def unsourced(words: Sequence[str], language: str) -> list[dict[str, Any]]:
    """What in a reply stands nowhere."""
    if not words:
        return []
    told = say(language, "not_in_documents", words=", ".join(words))
    return [_context(write(told)[:3000])]


def feedback(turn: int, language: str) -> list[dict[str, Any]]:
    """Slack's own feedback buttons, and the one that opens the reply for rewriting."""
    return [
        {
            "type": "context_actions",
            "elements": [
                {
                    "type": "feedback_buttons",
                    "action_id": FEEDBACK,
                    "positive_button": {
                        "text": _plain(say(language, "feedback_good")),
                        "value": f"like:{turn}",
                    },
                    "negative_button": {
                        "text": _plain(say(language, "feedback_bad")),
                        "value": f"dislike:{turn}",
                    },
                }
            ],
        },
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": IMPROVE,
                    "text": _plain(say(language, "improve_button")),
                    "value": str(turn),
                }
            ],
        },
    ]


def disliked_form(turn: int, language: str) -> dict[str, Any]:
    """Asks why a reply was not good."""
    options = [
        {"text": _plain(say(language, f"reason_{reason}")), "value": reason} for reason in REASONS
    ]
    return _form(
        DISLIKED,
        f"{turn}:{language}",
        say(language, "reason_title"),
        language,
        [
            {
                "type": "input",
                "block_id": "why",
                "optional": True,
                "label": _plain(say(language, "reason_why")),
                "element": {"type": "checkboxes", "action_id": "why", "options": options},
            },
            {
                "type": "input",
                "block_id": "more",
                "optional": True,
                "label": _plain(say(language, "reason_more")),
                "element": _text_field("more"),
            },
        ],
    )


def improve_form(turn: int, reply: str, language: str) -> dict[str, Any]:
    """Holds the reply, to be rewritten; one that the field can't hold is left out of it."""
    field = _text_field("better")
    label = "improve_label"
    if len(reply) <= LONGEST_INPUT:
        field["initial_value"] = reply
    else:
        label = "improve_long"
    return _form(
        IMPROVED,
        f"{turn}:{language}",
        say(language, "improve_title"),
        language,
        [
            {
                "type": "input",
                "block_id": "better",
                "label": _plain(say(language, label), LONGEST_LABEL),
                "element": field,
            }
        ],
    )


def forget_form(language: str) -> dict[str, Any]:
    """Asks before everything a person said is deleted."""
    view = _form(FORGET, f":{language}", say(language, "forget_confirm_title"), language, [])
    view["blocks"] = [
        {"type": "section", "text": _plain(say(language, "forget_confirm_body"), 3000)}
    ]
    view["submit"] = _plain(say(language, "forget_confirm_button"), 24)
    return view


def voiced(text: str, language: str) -> list[dict[str, Any]]:
    """A rewritten text that only its asker sees, with the button that posts it if it can be."""
    shown = [
        {"type": "section", "text": {"type": "mrkdwn", "text": part}}
        for part in split(write(text), SECTION)
    ]
    if len(text) > LONGEST_VALUE:
        return [*shown, _context(say(language, "voice_copy"))]
    return [
        *shown,
        {
            "type": "actions",
            "elements": [
                {
                    "type": "button",
                    "action_id": POST_VOICE,
                    "style": "primary",
                    "text": _plain(say(language, "voice_post")),
                    "value": text,
                }
            ],
        },
    ]


def held(view: Mapping[str, Any]) -> tuple[int, str]:
    """The reply that a form is about, 0 if it is about none, and the language it is in.

    What comes back from a form does not say in which channel it was opened.
    """
    number, _, language = str(view.get("private_metadata") or "").partition(":")
    return int(number) if number.isdigit() else 0, language or "en"


def _form(
    callback: str, about: str, title: str, language: str, content: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "type": "modal",
        "callback_id": callback,
        "private_metadata": about,
        "title": _plain(title, 24),
        "submit": _plain(say(language, "submit"), 24),
        "close": _plain(say(language, "cancel"), 24),
        "blocks": content,
    }


def _text_field(name: str) -> dict[str, Any]:
    return {
        "type": "plain_text_input",
        "action_id": name,
        "multiline": True,
        "max_length": LONGEST_INPUT,
    }


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": text}]}


def _plain(text: str, most: int = 75) -> dict[str, Any]:
    return {"type": "plain_text", "text": text[:most], "emoji": True}
