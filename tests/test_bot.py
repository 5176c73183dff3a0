"""The whole runtime, on a really trained tiny adapter."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brandbot import models
from brandbot.adapters import AdapterStore, Version
from brandbot.bot import Bot, Voice
from brandbot.engines.base import Chunk
from brandbot.errors import EngineError, LogError, VersionError
from brandbot.persona import Persona
from brandbot.prompt import Encoded, Message, PromptFormat, build
from brandbot.training import planning, run
from brandbot.workspace import Workspace
from tests.browser.scripted import ScriptedEngine


@pytest.fixture
def bot(trained: Path):  # type: ignore[no-untyped-def]
    made = Bot(Workspace(trained), engine="llamacpp")
    yield made
    made.close()


def test_a_message_becomes_a_logged_reply(bot: Bot) -> None:
    reply = bot.reply("acme", " Is it raining? ", channel="web", author="ana")
    pieces = list(reply)
    assert "".join(pieces) == reply.text and reply.text.strip()
    asked, answered = bot.history(reply.conversation)
    assert (asked.content, answered.content) == ("Is it raining?", reply.text.strip())
    assert (answered.id, answered.version) == (reply.turn, "0001")
    with bot.log.database._engine.begin() as connection:
        row = connection.exec_driver_sql(
            "SELECT engine, finish, strength, latency_ms > 0, first_token_ms > 0, channel, conversations.author "
            "FROM turns JOIN conversations ON conversations.id = conversation WHERE role='assistant'"
        ).one()
    assert (
        row[0] == "llamacpp"
        and row[1] in ("stop", "length")
        and row[2:] == (1.0, 1, 1, "web", "ana")
    )


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> ScriptedEngine:
    engine = ScriptedEngine()
    monkeypatch.setattr("brandbot.engines.pool.open_engine", lambda *_, **__: engine)
    return engine


def test_the_engine_gets_what_prompt_made(bot: Bot, scripted: ScriptedEngine) -> None:
    """The request's ids are those training masks the next reply behind."""
    scripted.will_say("Yes.")
    first = bot.reply("acme", "Is it raining?")
    list(first)
    list(bot.reply("acme", "And now?", conversation=first.conversation))
    voice = bot.voice("acme")
    talk = [
        Message("user", "Is it raining?"),
        Message("assistant", "Yes."),
        Message("user", "And now?"),
    ]
    trained_form = voice.prompt_format.encode(
        build(voice.persona.system_prompt, [*talk, Message("assistant", "Still.")])
    )
    ids = list(scripted.calls[1].ids)
    assert trained_form.ids[: len(ids)] == ids and trained_form.mask[len(ids)] == 1
    assert scripted.calls[1].stop_ids == voice.prompt_format.stop_ids


def test_a_reply_says_nothing_again(bot: Bot, scripted: ScriptedEngine) -> None:
    scripted.will_say("It rains on the hills today.")
    scripted.will_say("It rains on the hills", " today. Bring a coat.")
    scripted.will_say("It rains on the hills today.")
    scripted.will_say("Yes, a little.")
    first = bot.reply("acme", "Is it raining?")
    list(first)
    second = bot.reply("acme", "And now?", conversation=first.conversation)
    assert "".join(second) == second.text == "Bring a coat."
    # All of the third was said: it is asked for again, as if the message were the first.
    third = bot.reply("acme", "And then?", conversation=first.conversation)
    assert "".join(third) == third.text == "Yes, a little."
    assert len(scripted.calls[3].ids) < len(scripted.calls[2].ids)


def test_retry_replaces_the_reply(bot: Bot) -> None:
    first = bot.reply("acme", "Is it raining?")
    list(first)
    second = bot.retry(first.conversation)
    list(second)
    turns = bot.history(first.conversation)
    assert [turn.id for turn in turns] == [1, second.turn]
    assert bot.log.count() == 3


def test_a_reply_stays_until_there_is_another(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    first = bot.reply("acme", "Is it raining?")
    said = "".join(first).strip()
    stopped = bot.retry(first.conversation)
    stopped.close()  # before its first word
    assert [turn.content for turn in bot.history(first.conversation)][1:] == [said]

    def fails(*_: object, **__: object) -> Iterator[Chunk]:
        raise EngineError("No.")
        yield

    voice = bot.voice("acme")
    with bot._engines.use(voice.base, voice.version) as engine:
        monkeypatch.setattr(engine, "generate", fails)
    with pytest.raises(EngineError):
        list(bot.retry(first.conversation))
    assert [turn.content for turn in bot.history(first.conversation)][1:] == [said]


def test_a_reader_that_goes_away_leaves_what_was_said(bot: Bot) -> None:
    reply = bot.reply("acme", "Tell me all of it", strength=0.0)
    iterator = iter(reply)
    said = next(iterator)
    reply.close()
    last = bot.history(reply.conversation)[-1]
    assert said in reply.text and (last.content, last.finish) == (reply.text.strip(), "stopped")


def test_strength_and_untuned_change_the_answer(bot: Bot) -> None:
    voice = bot.voice("acme")
    asked = [Message("user", "Is it raining? And here?")]

    def say(**options: float | bool) -> str:
        reply = bot.generate(voice, asked, temperature=0.0, **options)  # type: ignore[arg-type]
        return "".join(reply)

    assert say(untuned=True) == say(strength=0.0) != say(strength=1.0)


def test_a_long_conversation_drops_its_oldest_turns(bot: Bot) -> None:
    voice = bot.voice("acme")
    talk = [
        Message("assistant" if n % 2 else "user", f"turn {n} " + "word " * 200) for n in range(41)
    ]
    assert list(bot.generate(voice, talk, max_tokens=4))
    with pytest.raises(EngineError, match="too long for the model"):
        list(bot.generate(voice, [Message("user", "word " * 9000)]))


def test_foreign_conversations_are_refused(bot: Bot) -> None:
    with pytest.raises(LogError, match="no conversation"):
        bot.reply("acme", "hi", conversation="0" * 32)
    with pytest.raises(EngineError, match="empty"):
        bot.reply("acme", "  \n ")


def test_a_promoted_version_serves_the_next_reply(bot: Bot, trained: Path) -> None:
    workspace = Workspace(trained)
    running = bot.reply("acme", "Is it raining?")
    iterator = iter(running)
    next(iterator)
    persona = Persona.load(workspace.persona("acme")).with_settings(["training.seed=5"])
    run.train(workspace, planning.plan(workspace, persona))
    AdapterStore(workspace.adapters("acme")).promote(2)
    after = bot.reply("acme", "Is it raining?")
    list(after)
    list(iterator)  # the one under way ends on the version it began with
    assert running.voice.version_name == "0001" and after.voice.version_name == "0002"
    assert [bot.history(r.conversation)[-1].version for r in (running, after)] == ["0001", "0002"]


def test_row_30_promotion_under_load_fails_nothing_and_mixes_nothing(
    bot: Bot, trained: Path
) -> None:
    """Four people talk while versions go live and back; within 5 s the new one answers."""
    workspace = Workspace(trained)
    persona = Persona.load(workspace.persona("acme")).with_settings(["training.seed=5"])
    run.train(workspace, planning.plan(workspace, persona))
    store = AdapterStore(workspace.adapters("acme"))
    alone = {
        number: "".join(bot.reply("acme", "Is it raining?", version=number)) for number in (1, 2)
    }
    assert alone[1] != alone[2]
    said: list[tuple[str, str]] = []
    failed: list[BaseException] = []
    over = threading.Event()

    def talk() -> None:
        try:
            while not over.is_set():
                reply = bot.reply("acme", "Is it raining?")
                text = "".join(reply)
                said.append((reply.voice.version_name, text))
                assert bot.history(reply.conversation)[-1].version == reply.voice.version_name
        except BaseException as error:
            failed.append(error)

    def wait_for(version: str) -> float:
        started, seen = time.monotonic(), len(said)
        while not any(name == version for name, _ in said[seen:]):
            assert not failed and time.monotonic() - started < 60, failed
            time.sleep(0.02)
        return time.monotonic() - started

    people = [threading.Thread(target=talk) for _ in range(4)]
    for person in people:
        person.start()
    took = [wait_for("0001")]
    for switch, version in ((lambda: store.promote(2), "0002"), (store.rollback, "0001")) * 2:
        switch()
        took.append(wait_for(version))
    over.set()
    for person in people:
        person.join()
    assert not failed and max(took[1:]) < 5
    assert {text for name, text in said if name == "0001"} == {alone[1]}
    assert {text for name, text in said if name == "0002"} == {alone[2]}


def with_two_shots(voice: Voice) -> Voice:
    config = voice.persona.config
    wanted = config.model_copy(
        update={"generation": config.generation.model_copy(update={"style_shots": 2})}
    )
    return replace(voice, persona=replace(voice.persona, config=wanted))


def test_style_shots_stand_in_the_prompt_and_give_way_to_a_long_talk(trained: Path) -> None:
    from brandbot.fitting import fitting

    bot = Bot(Workspace(trained), engine="llamacpp")
    voice = bot.voice("acme")
    eager = with_two_shots(voice)
    asked = [Message("user", "Is it raining? And at noon?")]
    assert bot._given.shots(voice, asked) == []
    shots = bot._given.shots(eager, asked)
    assert [m.role for m in shots] == ["user", "assistant"] * 2
    assert "raining" in shots[-2].content and shots[-2].content != asked[0].content
    plain = fitting(voice, asked, [], [], "", 4000)
    with_shots = fitting(voice, asked, shots, [], "", 4000)
    assert len(with_shots) > len(plain)
    assert fitting(voice, asked, shots, [], "", len(plain) + 5) == plain
    bot.close()


def test_style_shots_are_of_what_is_trained_on(trained: Path) -> None:
    """What was approved beyond the limits is shown no more than it is learnt."""
    asked = "Where do the boats go in a storm?"
    lines = [
        {"prompt": asked, "completion": reply, "provenance": {"author": "ana", "edited": True}}
        for reply in ("Call [phone number].", "Home.")
    ]
    more = trained / "personas" / "acme" / "examples" / "from-conversations.jsonl"
    more.write_text("".join(json.dumps(line) + "\n" for line in lines))
    bot = Bot(Workspace(trained), engine="llamacpp")
    eager = with_two_shots(bot.voice("acme"))
    said = [m.content for m in bot._given.shots(eager, [Message("user", f"{asked} And fog?")])]
    assert "Home." in said and not any("[phone number]" in text for text in said)
    bot.close()


def test_a_long_talk_begins_the_same_for_many_replies(trained: Path) -> None:
    """So that an engine reads only what is new; and it is not tokenized again for each turn."""
    from brandbot.fitting import fitting

    bot = Bot(Workspace(trained), engine="llamacpp")
    voice = bot.voice("acme")
    form = voice.prompt_format
    talk = [Message("assistant" if n % 2 else "user", f"turn {n} " + "ha " * 9) for n in range(401)]
    prompts = [fitting(voice, talk[: n + 1], [], [], "", 1000) for n in range(300, 400, 2)]
    assert all(len(ids) <= 1000 and len(ids) > 400 for ids in prompts)
    begins = {form.decode(ids)[:60] for ids in prompts}
    assert len(begins) < len(prompts) / 5
    counted: list[int] = []
    encode = PromptFormat.encode

    def counting(self: PromptFormat, messages: Sequence[Message]) -> Encoded:
        counted.append(len(messages))
        return encode(self, messages)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PromptFormat, "encode", counting)
        fitting(voice, talk, [], [], "", 1000)
    assert len(counted) <= 3 and max(counted) < 60
    quoted = fitting(voice, talk, [], [], "Quote. " * 100, 1000)
    assert len(quoted) <= 1000 and "Quote" in form.decode(quoted)
    bot.close()


def test_a_reply_that_can_not_be_made_again_stays(bot: Bot) -> None:
    reply = bot.reply("acme", "Is it raining?")
    said = "".join(reply)
    with pytest.raises(VersionError):
        bot.retry(reply.conversation, version=77)
    assert bot.history(reply.conversation)[-1].content == said.strip()


def test_a_version_whose_folder_is_gone_holds_up_no_other(trained: Path) -> None:
    workspace = Workspace(trained)
    store = AdapterStore(workspace.adapters("acme"))
    shutil.copytree(store.folder / "0001", store.folder / "0002")
    bot = Bot(workspace, engine="llamacpp")
    assert "".join(bot.reply("acme", "Is it raining?"))
    store.promote(2)
    shutil.rmtree(store.folder / "0001")
    reply = bot.reply("acme", "And now?")
    assert "".join(reply) and reply.voice.version_name == "0002"
    bot.close()


def test_fully_fine_tuned_versions_do_not_pile_up(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a whole model: the latest two stay, one that still speaks until it has ended."""
    workspace = Workspace(trained)
    store = AdapterStore(workspace.adapters("acme"))
    first = store.get(1)
    versions = [
        replace(first, folder=trained / str(n), meta={**first.meta, "method": "full"})
        for n in range(4)
    ]
    assert versions[0].method == "full"
    closed: list[Path] = []

    class Whole:
        name = "whole"

        def __init__(self, version: Version) -> None:
            self.folder = version.folder

        def close(self) -> None:
            closed.append(self.folder)

    monkeypatch.setattr(
        "brandbot.engines.pool.open_engine", lambda _n, _b, held, *_a, **_k: Whole(held[0])
    )
    bot = Bot(workspace)
    voice = bot.voice("acme")
    with bot._engines.use(voice.base, versions[0]):
        for version in versions[1:]:
            with bot._engines.use(voice.base, version):
                pass
        assert closed == [versions[1].folder]
    assert closed == [versions[1].folder, versions[0].folder]
    with bot._engines.use(voice.base, versions[3]) as engine:
        assert engine.folder == versions[3].folder
    bot.close()


def test_a_brand_that_loads_holds_up_no_other(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large base is hashed and unpacked for minutes; meanwhile the others go on talking."""
    from brandbot import models

    bot = Bot(Workspace(trained), engine="llamacpp")
    voice = bot.warm("acme")
    shutil.copytree(trained / "personas" / "acme", trained / "personas" / "other")
    entered, may_end = threading.Event(), threading.Event()
    resolve = models.resolve

    def slow(*arguments: Any, **named: Any) -> Any:
        entered.set()
        assert may_end.wait(60)
        return resolve(*arguments, **named)

    monkeypatch.setattr(models, "resolve", slow)
    bot._bases.clear()
    loading = threading.Thread(target=bot.voice, args=("other",))
    loading.start()
    assert entered.wait(60)
    assert "".join(bot.reply("acme", "Is it raining?")) and bot.voice("acme") is voice
    assert loading.is_alive()
    may_end.set()
    loading.join(60)
    bot.close()


def test_row_16_a_damaged_live_version_gives_way_to_the_one_before(trained: Path) -> None:
    workspace = Workspace(trained)
    store = AdapterStore(workspace.adapters("acme"))
    shutil.copytree(store.folder / "0001", store.folder / "0002")
    store.promote(2)
    file = store.folder / "0002" / "adapter.gguf"
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 4
    file.write_bytes(raw)
    bot = Bot(workspace, engine="llamacpp")
    voice = bot.voice("acme")
    assert voice.version_name == "0001" and "adapter.gguf was changed" in voice.warning
    reply = bot.reply("acme", "Is it raining?")
    assert list(reply) and reply.voice.version_name == "0001"
    with pytest.raises(VersionError, match=r"adapter\.gguf"):
        bot.voice("acme", 2)
    bot.close()


def test_an_untrained_persona_answers_as_its_base(workspace: Path) -> None:
    bot = Bot(Workspace(workspace), engine="llamacpp")
    reply = bot.reply("acme", "Is it raining?")
    list(reply)
    assert reply.voice.version_name == "base"
    bot.close()


def test_who_only_thanks_hears_the_brands_own_words(workspace: Path) -> None:
    with (workspace / "personas" / "acme" / "persona.yaml").open("a") as file:
        file.write("courtesies: {thanks: [Any time.], program: [A program.]}\n")
    bot = Bot(Workspace(workspace), engine="llamacpp")
    reply = bot.reply("acme", "Thanks!")
    assert list(reply) == ["Any time."] and reply.finish == "stop"
    other = bot.reply("acme", "Are you a robot?", conversation=reply.conversation)
    assert "".join(other) == "A program."
    assert [turn.content for turn in bot.history(reply.conversation)][1::2] == [
        "Any time.", "A program.",
    ]  # fmt: skip
    untuned = bot.generate(bot.voice("acme"), [Message("user", "Thanks!")], untuned=True)
    assert "".join(untuned) != "Any time."  # to see what the model says by itself
    bot.close()


def test_starting_to_chat_loads_neither_torch_nor_faiss(trained: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom brandbot import Bot, Workspace\nbot = Bot(Workspace.find())\n"
        "bot.warm('acme')\nprint({'torch', 'transformers', 'faiss'} & set(sys.modules))\nbot.close()"
    )
    base = Workspace(trained)
    models.gguf_file(
        models.resolve(Persona.load(base.persona("acme")).config.base_model, base.models),
        base.models,
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "set()"


def test_row_28_a_client_goes_away_in_mid_stream(bot: Bot) -> None:
    """A hundred times: the machine stops with it, what was said is logged, nothing piles up."""

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1])

    memory = 0
    for number in range(120):
        reply = bot.reply("acme", f"Tell me all about number {number}, please.")
        next(iter(reply))
        leaving = time.monotonic()
        reply.close()  # waits until the engine has stopped
        assert time.monotonic() - leaving < 2.0
        assert [turn.role for turn in bot.history(reply.conversation)] == ["user", "assistant"]
        if number == 19:
            memory = resident()
    assert resident() < memory * 1.05
