"""Slack's markup to Markdown and back; long replies in parts, and the parts back into the reply."""

from __future__ import annotations

import random
import time

import pytest
import regex

from connectors.slack.mrkdwn import markdown, read, write
from connectors.slack.split import LIMIT, join, split

NO_SPACE = "\u200b"
FAMILY = "👩‍👩‍👧‍👦"

# read


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("<@UBOT> hola", "hola"),
        ("<@UBOT|lighthouse>: hola", "hola"),
        ("<@UBOT> <@UBOT>, hola", "hola"),
        ("oye <@UBOT> qué tal", "oye qué tal"),
        ("gracias <@UBOT>!", "gracias!"),
        ("`x` <@UBOT> y", "`x` y"),
        ("uno\n<@UBOT> dos", "uno\ndos"),
        ("<@UBOT>", ""),
        ("<@UBOT2> is somebody else", "@someone is somebody else"),
    ],
)
def test_the_bots_own_mention_goes(written: str, expected: str) -> None:
    assert read(written, bot_user="UBOT") == expected


def test_a_long_run_of_spaces_is_read_in_a_moment() -> None:
    """It took seconds, of every message that holds one and of every edit of it."""
    began = time.monotonic()
    assert read(f"<@UBOT> a{' ' * 40_000}b", bot_user="UBOT") == f"a{' ' * 40_000}b"
    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("<@U2|ben>", "@ben"),
        ("<@U3>", "@someone"),
        ("<#C1|general>", "#general"),
        ("<#C3|>", "#channel"),
        ("<!here> <!channel|@channel>", "@here @channel"),
        ("<!subteam^S1|@baristas> <!subteam^S2>", "@baristas @team"),
        ("<!date^1392734382^{date_short}|Feb 18, 2014>", "Feb 18, 2014"),
        (
            "<https://a.example/b_c_d?x=1&amp;y=2|the page>",
            "the page (https://a.example/b_c_d?x=1&y=2)",
        ),
        ("<https://a.example/b>", "https://a.example/b"),
        ("<http://a.example|a.example>", "http://a.example"),
        ("<mailto:ana@a.example|ana@a.example>", "ana@a.example"),
        ("<mailto:ana@a.example|write>", "write (ana@a.example)"),
        ("<tel:+34600|+34600>", "+34600"),
    ],
)
def test_what_stands_between_brackets(written: str, expected: str) -> None:
    assert read(written, bot_user="UBOT") == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&amp;lt;", "&lt;"),
        ("&amp;amp;", "&amp;"),
        ("&lt;@U1&gt;", "<@U1>"),
    ],
)
def test_entities_are_unescaped_once(written: str, expected: str) -> None:
    assert read(written, bot_user="UBOT") == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("*bold* _italic_ ~gone~", "**bold** *italic* ~~gone~~"),
        ("*_both_* _*both*_", "***both*** ***both***"),
        ("*see <https://a.example|this>*", "**see this (https://a.example)**"),
        ("2 * 3 * 4", "2 * 3 * 4"),
        ("snake_case_name and _foo_bar_", "snake_case_name and *foo_bar*"),
        ("https://a.example/_x_/*y*", "https://a.example/_x_/*y*"),
        ("<https://a.example/_x_/*y*>", "https://a.example/_x_/*y*"),
        ("• one\n    ◦ two", "- one\n    - two"),
        ("&gt; quoted", "> quoted"),
    ],
)
def test_formatting_becomes_markdown(written: str, expected: str) -> None:
    assert read(written, bot_user="UBOT") == expected


def test_code_is_left_alone_but_for_entities() -> None:
    written = "`*x* <@UBOT> :coffee: &lt;b&gt;` ```\n_a_ ~b~ <https://a.example|c>\n\n&amp;&amp;```"
    expected = "`*x* <@UBOT> :coffee: <b>` ```\n_a_ ~b~ <https://a.example|c>\n\n&&```"
    assert read(written, bot_user="UBOT") == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (":coffee: :tada:", "☕ 🎉"),
        (":heart:", "\u2764\ufe0f"),
        (":+1: :thumbsup: :-1:", "👍 👍 👎"),
        (":+1::skin-tone-2:", "\U0001f44d\U0001f3fb"),
        (":wave::skin-tone-6:", "\U0001f44b\U0001f3ff"),
        (":point_up::skin-tone-4:", "\u261d\U0001f3fd"),
        (":woman-shrugging::skin-tone-3:", "\U0001f937\U0001f3fc\u200d\u2640\ufe0f"),
        (":tada::skin-tone-3:", "🎉"),
        (":shrug: :melting_face: :egg:", "🤷 🫠 🥚"),
        (":flag-es: :es: :flag-mx:", "🇪🇸 🇪🇸 🇲🇽"),
        (":party_parrot: :_lighthouse_:", ":party_parrot: :_lighthouse_:"),
        ("10:30:45 and 1:100:2 and :100:", "10:30:45 and 1:100:2 and 💯"),
    ],
)
def test_emoji_names_become_emoji(written: str, expected: str) -> None:
    assert read(written, bot_user="UBOT") == expected


# write


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("**b** *i* ~~s~~ ***x***", "*b* _i_ ~s~ _*x*_"),
        ("# Opening **hours**", "*Opening hours*"),
        ("- a\n- b\n  - c", "• a\n• b\n    ◦ c"),
        ("3. a\n4. b", "3. a\n4. b"),
        ("[us](https://a.example/?a=1&b=2)", "<https://a.example/?a=1&amp;b=2|us>"),
        ("[a **b**\nc](https://a.example)", "<https://a.example|a b c>"),
        ("<https://a.example>", "<https://a.example>"),
        ("See (https://a.example/_x_/*y*/z).", "See (<https://a.example/_x_/*y*/z>)."),
        ("**https://a.example**", "*<https://a.example>*"),
        ("![a cup](https://a.example/c.png)", "<https://a.example/c.png|a cup>"),
        ("[here](/menu)", "here (/menu)"),
        ("1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"),
        ("`a<b` and ``c`d``", "`a&lt;b` and `cˋd`"),
        ("```py\n# a **b** <c>\n```", "```\n# a **b** &lt;c&gt;\n```"),
        ("> one\n> two\n\nthree", "> one\n> two\n\nthree"),
        ("| a | b |\n|---|---|\n| 1 | **2** |", "a | b\n1 | *2*"),
        ("one\ntwo\n\n\nthree", "one\ntwo\n\nthree"),
        ("    four spaces", "four spaces"),
        ("Café · 100% {x}", "Café · 100% {x}"),
        ("", ""),
    ],
)
def test_markdown_becomes_mrkdwn(text: str, expected: str) -> None:
    assert write(text) == expected


MENTIONS = [
    "<!channel>", "<!here|here>", "<@U1>", "<#C1|general>", "<!subteam^S1>", "@here", "@channel", "@Everyone",
    "_@here_", "[x](<!here>)", "[x](@channel)", "[<!here>](https://a.example)", "![<@U1>](https://a.example)",
    "<https://a.example|<!here>>", "`<!here>`", "```\n<!channel> @here\n```", "&lt;!here&gt;", "@&#104;ere",
    "\\<!here>", "# <@U1>", "> @channel", "| <@U1> |\n|---|\n| @here |",
]  # fmt: skip
PINGS = regex.compile(r"<[@#!]|(?<![^\W_])@(?i:here|channel|everyone)\b")


@pytest.mark.parametrize("text", MENTIONS)
def test_nothing_written_mentions_anybody(text: str) -> None:
    assert not PINGS.search(write(text)), write(text)
    assert not PINGS.search(markdown(text)), markdown(text)


def test_what_is_no_mention_stays_as_it_is() -> None:
    text = "mail@channel.example, @lighthouse, <https://a.example>, # heading, #coffee, @hereabouts"
    assert markdown(text) == text


def test_a_mention_is_broken_by_an_invisible_space() -> None:
    assert markdown("<!here> @here") == f"<{NO_SPACE}!here> @{NO_SPACE}here"
    assert write("<!here> @here") == f"&lt;!here&gt; @{NO_SPACE}here"


def test_a_stream_cut_at_spaces_is_what_the_whole_is() -> None:
    text = " ".join(MENTIONS)
    for end in (place for place, char in enumerate(text, 1) if char in " \n"):
        assert markdown(text[:end]) + markdown(text[end:]) == markdown(text)


def test_whatever_is_written_only_addresses_stand_between_brackets() -> None:
    pieces = ["<", ">", "@", "here", "!", "#", "[", "]", "(", ")", "|", "&", "*", "_", "`", "\n", " ", "a",
              "https://a.example", "```\n", "\\", "&lt;", "- "]  # fmt: skip
    for seed in range(300):
        dice = random.Random(seed)
        text = "".join(dice.choice(pieces) for _ in range(40))
        written = write(text)
        assert not PINGS.search(written), (seed, written)
        assert not PINGS.search(markdown(text)), seed
        assert not regex.search(r"<(?!https://a\.example|mailto:a)", written), (seed, written)


# split and join


def length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def test_a_short_text_is_one_part() -> None:
    assert split("") == [""]
    assert split("a" * LIMIT) == ["a" * LIMIT]
    assert join([""]) == ""


def test_a_part_ends_where_a_reader_would_stop() -> None:
    paragraph = "One two three. Four five six seven."  # 35 characters
    assert split(f"{paragraph}\n\n{paragraph}", 60) == [f"{paragraph}\n\n", paragraph]
    assert split(f"{paragraph}\n{paragraph}", 60) == [f"{paragraph}\n", paragraph]
    early = "a" * 20 + "\n\n"
    assert split(f"{early}{'b' * 10}\n{'c' * 20}", 40) == [early, f"{'b' * 10}\n{'c' * 20}"]
    assert split(f"{paragraph} {paragraph}", 60) == [
        f"{paragraph} One two three. ",
        "Four five six seven.",
    ]
    assert split("one two three four five six seven eight nine", 40) == [
        "one two three four five six seven eight ",
        "nine",
    ]
    assert split("a" * 41, 40) == ["a" * 40, "a"]


def test_a_paragraph_too_early_does_not_leave_a_part_all_but_empty() -> None:
    first, second = split("Hi.\n\n" + "word " * 12, 40)
    assert first == "Hi.\n\n" + "word " * 7
    assert second == "word " * 5


def test_emoji_are_never_cut() -> None:
    assert length(FAMILY) == 11
    assert split(FAMILY * 5, 40) == [FAMILY * 3, FAMILY * 2]
    assert split("```" + FAMILY * 5, 40) == ["```" + FAMILY * 3, FAMILY * 2]
    assert split("e\u0301" * 30, 41) == ["e\u0301" * 20, "e\u0301" * 10]
    assert split("🇪🇸" * 11, 42) == ["🇪🇸" * 10, "🇪🇸"]


def test_a_long_fence_is_closed_and_opened_again() -> None:
    text = "```py\n" + "print(1)\n" * 8 + "```\nDone."
    assert split(text, 50) == [
        "```py\n" + "print(1)\n" * 4 + "```",
        "```py\n" + "print(1)\n" * 4 + "```\n",
        "Done.",
    ]
    assert join(split(text, 50)) == text


def test_a_line_of_code_longer_than_a_part_is_put_together_again() -> None:
    text = "~~~js\n" + "x" * 60 + "\n~~~"
    first, second = split(text, 60)
    assert first == "~~~js\n" + "x" * 49 + "\n~~~ "
    assert second == "~~~js\n" + "x" * 11 + "\n~~~"
    assert join([first, second]) == text


def test_a_part_ends_before_a_fence_and_not_in_it() -> None:
    words = "word " * 5 + "word.\n"
    code = "```\n" + "x = 1\n" * 4 + "```"
    assert split(words + code, 60) == [words, code]


def test_two_fences_in_a_row_are_not_taken_for_one() -> None:
    code = "```py\n" + "print(1)\n" * 4 + "```\n"
    text = code + code
    assert split(text, 50) == [code, code]
    assert join([code, code]) == text


def test_what_looks_like_an_added_closing_is_not_cut_there() -> None:
    # Cut at 40, the text would look as if split had closed the fence and opened it again.
    opener = "```" + "p" * 33
    text = f"{opener}\n```{opener}\ncode"
    assert split(text, 40)[0] == f"{opener}\n``"
    assert join(split(text, 40)) == text


def test_no_part_ends_with_a_fence_that_holds_nothing() -> None:
    text = "```python3\n" + "x" * 40 + "\n```"
    assert split(text, 40)[0] == "```python3\n" + "x" * 24 + "\n``` "
    assert join(split(text, 40)) == text


def test_sixty_thousand_characters_of_text_code_and_emoji() -> None:
    code = "".join(f"    print({number})  # {FAMILY} café\n" for number in range(500))
    story = "Once upon a time there was coffee ☕. " * 150
    text = f"{story}\n\n```python\n{code}```\n\n{story}🇪🇸\n\n~~~\n{code}~~~\n" * 2
    assert len(text) > 60_000
    parts = split(text)
    assert join(parts) == text
    assert all(length(part) <= 12_000 for part in parts)
    assert len(parts) <= 2 * len(text) / 12_000
    for part in parts:  # every fence that is opened in a part is closed there
        marks = regex.findall(r"(?m)^(```|~~~)", part)
        assert len(marks) % 2 == 0, part[-40:]
    again = [part for part in parts if part.startswith("```python\n")]
    assert len(again) >= 2


PIECES = [
    "word", "Lorem ipsum. ", " ", "  ", "\n", "\n\n", "\r\n", "```", "```py\n", "```python\nprint(1)\n", "```\n",
    "``` ", "``` \n", "````\n", "~~~\n", "~~~ ", "``` \n```py\n", "```\n```\n", "\n``` ", "   ```js\n", "\t```\n",
    "``", "`", "~", "x" * 30, "`" * 45, "```" + "l" * 50 + "\n", FAMILY, "🇪🇸", "e\u0301", "\u0301", "😀" * 5, "你好。",
    "\u200d", "\ud800", "- ",
]  # fmt: skip


@pytest.mark.parametrize("limit", [40, 41, 64, 250, 12_000])
def test_joining_gives_back_whatever_was_split(limit: int) -> None:
    for seed in range(250 if limit < 12_000 else 25):
        dice = random.Random(seed)
        pool = dice.sample(PIECES, dice.randint(1, len(PIECES)))
        most = limit * dice.choice([1, 2, 4])
        text = "".join(dice.choices(pool, k=most))[:most]
        parts = split(text, limit)
        assert join(parts) == text, (seed, parts)
        assert all(length(part) <= limit for part in parts), seed
        assert all(parts), seed


def test_no_grapheme_is_cut_in_whatever_is_split() -> None:
    for seed in range(200):
        dice = random.Random(seed)
        text = "".join(
            dice.choices(["a", " ", "\n", FAMILY, "🇪🇸", "e\u0301", "👍🏽", "\r\n"], k=60)
        )
        ends = {match.end() for match in regex.finditer(r"\X", text)}
        at = 0
        for part in split(text, 40):
            at += len(part)
            assert at in ends, (seed, part)


def test_the_worst_text_is_split_soon_enough() -> None:
    started = time.process_time()
    for text in ("`" * 60_000, "```\n" * 15_000, "\n" * 60_000, "e" + "\u0301" * 60_000):
        assert join(split(text)) == text
    assert time.process_time() - started < 30
