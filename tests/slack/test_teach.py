"""What people think of replies reaches the log, with who thought it."""

from __future__ import annotations

from typing import Any

from tests.slack.office import Office, beat, buttons


def judged(office: Office, turn: int) -> list[dict[str, Any]]:
    return office.bot.log.feedback_of(turn)


def reply(office: Office) -> tuple[Any, int]:
    """A reply in Slack, and its turn's number."""
    said = office.ask("do you sell hammers?")
    (answer,) = office.answers(said)
    return answer, office.turns()[-1].id


def click(office: Office, answer: Any, action: str, value: str) -> None:
    office.slack.click(
        office.slack.ben, answer.channel, answer.ts, {"action_id": action, "value": value}
    )


def view(office: Office, callback: str) -> dict[str, Any]:
    def found() -> list[dict[str, Any]]:
        return [v for v in office.slack.views.values() if v["callback_id"] == callback]

    return office.slack.wait_for(found)[0]


def test_a_thumb_up_is_a_like(office: Office) -> None:
    answer, turn = reply(office)
    assert buttons(answer)["brandbot_feedback"]["positive_button"]["value"] == f"like:{turn}"
    click(office, answer, "brandbot_feedback", f"like:{turn}")
    office.eventually(lambda: len(judged(office, turn)) == 1)
    (row,) = judged(office, turn)
    assert (row["verdict"], row["author"]) == (
        "like",
        f"slack:{office.slack.team}:{office.slack.ben}",
    )
    office.slack.wait_for(
        lambda: [e for e in office.slack.ephemerals if e.user == office.slack.ben]
    )


def test_a_thumb_down_asks_for_the_reason(office: Office) -> None:
    answer, turn = reply(office)
    click(office, answer, "brandbot_feedback", f"dislike:{turn}")
    form = view(office, "brandbot_disliked")
    office.eventually(lambda: [r["verdict"] for r in judged(office, turn)] == ["dislike"])
    office.slack.submit_view(
        office.slack.ben, form["id"],
        {"why": {"why": ["voice", "tone"]}, "more": {"more": "too stiff"}},
    )  # fmt: skip
    office.eventually(lambda: len(judged(office, turn)) == 2)
    assert judged(office, turn)[1]["reason"] == "voice; tone; too stiff"


def test_improve_opens_the_reply_and_keeps_the_better_one(office: Office) -> None:
    answer, turn = reply(office)
    click(office, answer, "brandbot_improve", str(turn))
    form = view(office, "brandbot_improved")
    field = form["blocks"][0]["element"]
    assert field["initial_value"] == "Piece one, piece two."
    office.slack.submit_view(
        office.slack.ben, form["id"], {"better": {"better": "Hammers? Always."}}
    )
    office.eventually(lambda: len(judged(office, turn)) == 1)
    (row,) = judged(office, turn)
    assert (row["suggestion"], row["author"]) == (
        "Hammers? Always.", f"slack:{office.slack.team}:{office.slack.ben}",
    )  # fmt: skip


def test_an_empty_improvement_is_sent_back(office: Office) -> None:
    answer, turn = reply(office)
    click(office, answer, "brandbot_improve", str(turn))
    form = view(office, "brandbot_improved")
    said = office.slack.submit_view(office.slack.ben, form["id"], {"better": {"better": "  "}})
    assert said["response_action"] == "errors" and "better" in said["errors"]
    assert judged(office, turn) == []


def test_forget_me_asks_first_and_then_forgets(office: Office) -> None:
    slack = office.slack
    reply(office)
    slack.command("/brandbot", "forget-me", slack.ana, slack.general)
    form = view(office, "brandbot_forget")
    assert len(office.turns()) == 2
    slack.submit_view(slack.ana, form["id"], {})
    office.eventually(lambda: office.turns() == [])
    slack.wait_for(lambda: slack.replies(slack.dm(slack.ana)))


def test_a_wish_to_be_forgotten_outlives_a_restart(office: Office) -> None:
    """It was acknowledged; then the process died before it came to it."""
    reply(office)
    talk, person = office.app.talk, f"slack:{office.slack.team}:{office.slack.ana}"
    event = f"forget:{person}:V1"
    payload = {"forget": person}
    assert talk.claims.claim(event, payload)
    assert office.turns() != []
    talk.claims.release(event)  # as a process that starts finds what another left
    beat(office.app)
    office.eventually(lambda: office.turns() == [])
    office.slack.wait_for(lambda: office.slack.replies(office.slack.dm(office.slack.ana)))
    office.eventually(lambda: talk.claims.state(event) in (None, "done"))


def test_who_can_not_be_forgotten_just_now_is_told_why(office: Office) -> None:
    from filelock import FileLock

    from brandbot import Review

    slack, (_, turn) = office.slack, reply(office)
    exchange = Review(office.bot.workspace, office.bot.log, "acme").exchange(turn)
    assert exchange is not None
    Review(office.bot.workspace, office.bot.log, "acme").decide(exchange, "approved", "bea")
    runs = office.bot.workspace.runs("acme")
    runs.mkdir(parents=True)
    slack.command("/brandbot", "forget-me", slack.ana, slack.general)
    form = view(office, "brandbot_forget")
    with FileLock(str(runs / "lock")):
        slack.submit_view(slack.ana, form["id"], {})
        slack.wait_for(lambda: slack.replies(slack.dm(slack.ana)))
    (told,) = slack.replies(slack.dm(slack.ana))
    assert "trained" in told.text and office.turns() != []


def test_a_reply_too_long_for_the_form_is_not_cut(office: Office) -> None:
    from connectors.slack import blocks

    (block,) = blocks.improve_form(1, "x" * 3001, "en")["blocks"]
    assert "initial_value" not in block["element"] and "too long" in block["label"]["text"]
    shown = blocks.voiced("A sentence. " * 400, "en")
    assert len(shown) == 3 and "copy" in shown[-1]["elements"][0]["text"]
    assert blocks.voiced("A sentence. ", "en")[-1]["type"] == "actions"
