"""Slack's markup and Markdown, both ways. https://docs.slack.dev/messaging/formatting-message-text

``read`` makes Markdown of what people write, for the model. ``write`` makes mrkdwn of the bot's
Markdown, for ``text`` fields; ``markdown`` leaves it Markdown, for ``markdown_text`` and for blocks
of that kind. Nothing that comes out of the last two mentions anybody.
"""

from __future__ import annotations

from collections.abc import Iterable

import regex
from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.tree import SyntaxTreeNode
from rich.emoji import Emoji

# What people write in Slack

_CODE = r"(?P<code>(?s:```.*?```)|`[^`\n]+`)"
_PIECE = regex.compile(
    rf"{_CODE}|<(?P<token>[^<>\n]*)>|https?://[^\s<>]+"
    r"|:(?P<emoji>[a-z0-9_+'-]+):(?::skin-tone-(?P<tone>[2-6]):)?"
)
_HELD = "\ufdd0"  # not a character of any text: stands for what formatting must not touch
_WORD = r"[^\W_]"
_FORMATS = [
    (
        regex.compile(
            rf"(?<!{_WORD})(?<!{mark}){mark}(?!\s)({inner}+?)(?<!\s){mark}(?!{mark})(?!{_WORD})"
        ),
        becomes,
    )
    for mark, inner, becomes in (
        (r"\*", r"[^*\n]", r"**\1**"),
        (r"_", rf"(?:[^_\n]|(?<={_WORD})_(?={_WORD}))", r"*\1*"),
        (r"~", r"[^~\n]", r"~~\1~~"),
    )
]
_BULLET = regex.compile(r"^([ \t]*)[•◦▪]\s+", regex.MULTILINE)


def read(text: str, *, bot_user: str) -> str:
    """What somebody wrote, as Markdown, without the mention of the bot.

    In code nothing but the entities is converted.
    """
    held: list[str] = []

    def piece(match: regex.Match[str]) -> str:
        if match["emoji"] and (found := _emoji(match["emoji"], match["tone"])):
            after_digit = match.start() > 0 and text[match.start() - 1].isdigit()
            if not (after_digit and match["emoji"].isdigit()):  # 10:100:20 is no emoji
                return found
        is_token = match["token"] is not None
        held.append(_token(match["token"]) if is_token else match[0])
        return _HELD

    text = _without_mention(text.replace(_HELD, ""), bot_user)
    told = _PIECE.sub(piece, text)
    for pattern, becomes in _FORMATS:
        told = pattern.sub(becomes, told)
    told = _BULLET.sub(r"\1- ", told)
    pieces = iter(held)
    told = regex.sub(_HELD, lambda _: next(pieces), told)
    return told.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def _without_mention(text: str, bot_user: str) -> str:
    mention = rf"<@{regex.escape(bot_user)}(?:\|[^<>\n]*)?>"
    at_start = rf"(?m:^)[ \t]*(?:{mention}[,:]?[ \t]*)+"
    # Not from the middle of a run of spaces: with thousands of them, that took seconds.
    found = regex.compile(rf"{_CODE}|{at_start}|(?<![ \t])[ \t]*{mention}")
    return found.sub(lambda match: match["code"] or "", text)


def _token(token: str) -> str:
    """What stands between < and >: somebody, a channel, something special, or a link."""
    target, _, label = token.partition("|")
    match target[:1]:
        case "@":
            return "@" + (label.removeprefix("@") or "someone")
        case "#":
            return "#" + (label.removeprefix("#") or "channel")
        case "!" if target.startswith("!date^"):
            return label
        case "!":
            fallback = "team" if target.startswith("!subteam^") else target[1:]
            return "@" + (label.removeprefix("@") or fallback)
    bare = target.removeprefix("mailto:").removeprefix("tel:")
    if not label or _same_address(label, bare):
        return bare
    return f"{label} ({bare})"


def _same_address(one: str, other: str) -> bool:
    one, other = (
        text.removeprefix("https://").removeprefix("http://").rstrip("/") for text in (one, other)
    )
    return one == other


# Emoji: Slack's names are those of https://github.com/iamcal/emoji-data

_MORE_EMOJI = """
shrug 🤷  woman-shrugging 🤷‍♀️  man-shrugging 🤷‍♂️  face_palm 🤦  woman-facepalming 🤦‍♀️
man-facepalming 🤦‍♂️  upside_down_face 🙃  melting_face 🫠  saluting_face 🫡
face_holding_back_tears 🥹  smiling_face_with_tear 🥲  pinched_fingers 🤌  heart_hands 🫶
people_hugging 🫂  face_exhaling 😮‍💨  face_in_clouds 😶‍🌫️  shaking_face 🫨
face_with_peeking_eye 🫣  zipper_mouth_face 🤐  money_mouth_face 🤑  face_with_cowboy_hat 🤠
face_with_one_eyebrow_raised 🤨  the_horns 🤘  i_love_you_hand_sign 🤟
hand_with_index_and_middle_fingers_crossed 🤞  woman-raising-hand 🙋‍♀️
man-raising-hand 🙋‍♂️  woman-gesturing-ok 🙆‍♀️  man-gesturing-ok 🙆‍♂️
woman-gesturing-no 🙅‍♀️  man-gesturing-no 🙅‍♂️  woman-bowing 🙇‍♀️  man-bowing 🙇‍♂️
woman-tipping-hand 💁‍♀️  man-tipping-hand 💁‍♂️  female-technologist 👩‍💻
male-technologist 👨‍💻  female-cook 👩‍🍳  male-cook 👨‍🍳  technologist 🧑‍💻  cook 🧑‍🍳
first_place_medal 🥇  second_place_medal 🥈  third_place_medal 🥉  medal 🎖️
large_orange_circle 🟠  large_yellow_circle 🟡  large_green_circle 🟢
large_purple_circle 🟣  large_brown_circle 🟤  large_red_square 🟥  large_blue_square 🟦
large_orange_square 🟧  large_yellow_square 🟨  large_green_square 🟩
large_purple_square 🟪  champagne 🍾  hotdog 🌭  fried_egg 🍳  lime 🍋‍🟩  teapot 🫖
bubble_tea 🧋  mate_drink 🧉  ice_cube 🧊  kiwifruit 🥝  bell_pepper 🫑  olive 🫒
blueberries 🫐  flatbread 🫓  beans 🫘  jar 🫙  pouring_liquid 🫗  knife_fork_plate 🍽️
shopping_trolley 🛒  scooter 🛴  coin 🪙  bucket 🪣  magic_wand 🪄  mirror_ball 🪩
potted_plant 🪴  lotus 🪷  feather 🪶  rock 🪨  heart_on_fire ❤️‍🔥  mending_heart ❤️‍🩹
pink_heart 🩷  light_blue_heart 🩵  grey_heart 🩶  rolled_up_newspaper 🗞️  mostly_sunny 🌤️
rain_cloud 🌧️  snow_cloud 🌨️  lightning 🌩️  octagonal_sign 🛑  wireless 🛜  keycap_ten 🔟
hash #️⃣  placard 🪧  identification_card 🪪  black_cat 🐈‍⬛  ladybug 🐞  beetle 🪲  egg 🥚
satellite 🛰️  bubbles 🫧
"""
"""Names that Rich's table lacks, or has for something else."""

_EMOJI: dict[str, str] = dict(regex.findall(r"(\S+) (\S+)", _MORE_EMOJI))
_COUNTRIES = ("cn", "de", "es", "fr", "gb", "it", "jp", "kr", "ru", "uk", "us")
"""Flags that go without ``flag-``."""


def _emoji(name: str, tone: str | None) -> str | None:
    """The character of a name; None for a workspace's own emoji."""
    country = name.removeprefix("flag-")
    if regex.fullmatch("[a-z]{2}", country) and (country != name or name in _COUNTRIES):
        letters = "gb" if country == "uk" else country
        return "".join(chr(0x1F1E6 + ord(letter) - ord("a")) for letter in letters)
    found = _EMOJI.get(name) or Emoji.replace(f":{name}:")
    if found.startswith(":"):
        return None
    if tone and regex.match(r"\p{Emoji_Modifier_Base}", found):
        return found[0] + chr(0x1F3FB + int(tone) - 2) + found[1:].removeprefix("\ufe0f")
    if len(found) == 1 and not regex.match(r"\p{Emoji_Presentation}", found):
        return found + "\ufe0f"  # shown as an emoji, not as a sign of text
    return found


# What the bot writes

_MENTION = regex.compile(r"<(?=[@#!])|(?<![^\W_])@(?=(?i:here|channel|everyone|group)(?![^\W_]))")
_ADDRESS = regex.compile(r"://(?:[^\s<>()]|\([^\s<>()]*\))+(?<![.,;:!?'\"*_~`\]])")
_LINKED = regex.compile(r"https?://|mailto:|tel:")


def markdown(text: str) -> str:
    """Markdown in which nothing mentions people, groups or channels.

    An invisible space breaks each mention, in code as well: the text may be a piece of a stream.
    Cut at spaces, the pieces come out as the whole does.
    """
    return _MENTION.sub("\\g<0>\u200b", text)


def write(text: str) -> str:
    """Markdown as mrkdwn, escaped, in which nothing mentions people, groups or channels."""
    return markdown(_blocks(SyntaxTreeNode(_MARKDOWN.parse(text)).children))


def _blocks(nodes: Iterable[SyntaxTreeNode], between: str = "\n\n", depth: int = 0) -> str:
    return between.join(filter(None, (_block(node, depth) for node in nodes)))


def _block(node: SyntaxTreeNode, depth: int) -> str:
    match node.type:
        case "heading":
            return _marked("*", _inline(node.children[0], bold=False))
        case "paragraph":
            return _inline(node.children[0])
        case "bullet_list" | "ordered_list":
            return _list(node, depth)
        case "blockquote":
            return "> " + _blocks(node.children, depth=depth).replace("\n", "\n> ")
        case "fence":
            code = node.content.removesuffix("\n").replace("```", "``\u200b`")
            return f"```\n{_escaped(code)}\n```"
        case "hr":
            return "———"
        case "table":
            rows = [row for part in node.children for row in part.children]
            return "\n".join(
                " | ".join(_inline(cell.children[0]) for cell in row.children) for row in rows
            )
    return _escaped(node.content)


def _list(node: SyntaxTreeNode, depth: int) -> str:
    lines = []
    for place, item in enumerate(node.children):
        mark = "•◦"[depth % 2]
        if node.type == "ordered_list":
            mark = f"{int(node.attrs.get('start', 1)) + place}."
        content = _blocks(item.children, "\n", depth + 1)
        lines.append(f"{mark} " + content.replace("\n", "\n    "))
    return "\n".join(lines)


def _inline(node: SyntaxTreeNode, *, bold: bool = True) -> str:
    written = ""
    for child in node.children:
        match child.type:
            case "softbreak" | "hardbreak":
                written += "\n"
            case "code_inline":
                written += f"`{_escaped(child.content.replace('`', 'ˋ'))}`"
            case "strong":
                inner = _inline(child, bold=False)
                written += _marked("*", inner) if bold else inner
            case "em":
                written += _marked("_", _inline(child, bold=bold))
            case "s":
                written += _marked("~", _inline(child, bold=bold))
            case "link":
                written += _link(str(child.attrs["href"]), _plain(child))
            case "image":
                written += _link(str(child.attrs["src"]), child.content)
            case _:
                written += _escaped(child.content)
    return written


def _marked(mark: str, text: str) -> str:
    return f"{mark}{text}{mark}" if text.strip() else text


def _plain(node: SyntaxTreeNode) -> str:
    return "".join(
        " " if child.type.endswith("break") else _plain(child) or child.content
        for child in node.children
    )


def _link(address: str, label: str) -> str:
    address = address.replace("|", "%7C")  # what follows it would be taken for the label
    if not _LINKED.match(address):
        return _escaped(f"{label} ({address})" if label else address)
    if not label.strip() or label == address:
        return f"<{_escaped(address)}>"
    return f"<{_escaped(address)}|{_escaped(label)}>"


def literal(text: str) -> str:
    """What somebody typed behind a command, to be shown as it is; nobody is mentioned by it."""
    typed = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return _escaped(typed)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _bare_address(state: StateInline, silent: bool) -> bool:
    """An address written as it is: what is in it is no emphasis. A rule of markdown-it."""
    scheme = regex.search(r"(?<![^\W_])https?\Z", state.pending)
    found = _ADDRESS.match(state.src, state.pos)
    if scheme is None or found is None or state.linkLevel:
        return False
    if not silent:
        state.pending = state.pending[: scheme.start()]
        state.push("link_open", "a", 1).attrs = {"href": scheme[0] + found[0]}
        state.push("text", "", 0).content = scheme[0] + found[0]
        state.push("link_close", "a", -1)
    state.pos = found.end()
    return True


_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False, "maxNesting": 100})
    .enable(["strikethrough", "table"])
    .disable(["code", "lheading", "reference", "html_block", "html_inline"])
)
_MARKDOWN.inline.ruler.before("newline", "bare_address", _bare_address)
