"""What people think of replies reaches the log, with who thought it."""

from __future__ import annotations

from typing import Any

from tests.slack.office import Office, buttons


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
