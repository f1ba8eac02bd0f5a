"""Which evolutions are thrown away, and why; and which are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.engine.base import Completion
from synth.errors import CallFailed
from tests.running import question
from tests.stages.evolving import GOOD, Said, answered, evolve, reasons, script, states


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"judge": "Equal."}, "no_information_gain: the instruction is equal to the one before"),
        ({"evolve": "Why is the sky blue?"}, "no_information_gain: the instruction is equal"),
        ({"reply": "I am sorry, I cannot."}, "short_apology: the reply says 'sorry' in 5 words"),
        ({"reply": "It is what it is..."}, "no_content: the reply is only punctuation and stop"),
        ({"reply": "?!"}, "no_content: the reply is only punctuation and stop words"),
        ({"reply": "___"}, "no_content: the reply is only punctuation and stop words"),
        (
            {"evolve": "#Rewritten Prompt#: Why?"},
            "prompt_leak: the text repeats 'rewritten prompt'",
        ),
        ({"evolve": "<instruction>Why?"}, "prompt_leak: the text repeats '<instruction>'"),
    ],
)
async def test_the_four_rules_of_the_paper_eliminate(
    tmp_path: Path, said: dict[str, str], reason: str
):
    seed, evolved = await evolve(tmp_path, script(**said))

    assert seed.state == "live"
    assert evolved.dropped is not None
    assert (evolved.dropped.kind, evolved.dropped.by) == ("filter", "harder")
    assert evolved.dropped.reason.startswith(reason)
    assert evolved.fields["round"] == 1


@pytest.mark.parametrize(
    "said",
    [
        {"reply": "Sorry! " + "word " * 79},
        {"reply": "Because light is."},
        {"judge": "They are not equal."},
        {"evolve": "Who was given a prompt answer?"},
    ],
)
async def test_the_rules_spare_what_only_looks_alike(tmp_path: Path, said: dict[str, str]):
    records = await evolve(tmp_path, script(**said))

    assert states(records) == ["live", "live"]


async def test_words_of_a_prompt_that_were_there_before_are_no_leak(tmp_path: Path):
    record = question("Improve this rewritten prompt.")

    records = await evolve(tmp_path, script(evolve="Improve this rewritten prompt twice."), record)

    assert states(records) == ["live", "live"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("no_information_gain", {"judge": "Equal"}),
        ("short_apology", {"reply": "Sorry, impossible."}),
        ("no_content", {"reply": "..."}),
        ("prompt_leak", {"evolve": "Rewritten prompt: Why?"}),
    ],
)
async def test_each_rule_can_be_switched_off(tmp_path: Path, rule: str, said: dict[str, str]):
    records = await evolve(tmp_path, script(**said), eliminate={rule: False})

    assert reasons(records) == []


async def test_without_the_first_rule_nobody_judges(tmp_path: Path):
    engine = script()

    await evolve(tmp_path, engine, eliminate={"no_information_gain": False})

    assert engine.calls == 2


@pytest.mark.parametrize(
    ("said", "reason", "raw"),
    [
        ({"evolve": " \n"}, "empty_evolution: the model returned no text", " \n"),
        (
            {"evolve": Completion("Why is", "length")},
            "cut_off_evolution: the text did not end within `max_tokens`",
            "Why is",
        ),
        (
            {"judge": "Who knows?"},
            "no_choice: wanted one of equal, not equal; found none of them",
            "Who knows?",
        ),
        ({"judge": Completion("")}, "no_choice: wanted one of equal, not equal; found none", ""),
        ({"judge": "<think>Equal or not equal"}, "no_choice: ", "<think>Equal or not equal"),
        (
            {"evolve": "<think>Harder: why"},
            "unfinished_reasoning: the model was still thinking",
            "<think>Harder: why",
        ),
        ({"reply": " "}, "empty_reply: the model returned no text", " "),
        (
            {"reply": Completion("<think>Light", "length")},
            "unfinished_reasoning: the model was still thinking",
            "<think>Light",
        ),
    ],
)
async def test_a_malformed_reply_is_a_dropped_child(
    tmp_path: Path, said: dict[str, Said], reason: str, raw: str | None
):
    _, evolved = await evolve(tmp_path, script(**said))

    assert evolved.dropped is not None
    assert evolved.dropped.kind == "filter"
    assert evolved.dropped.reason.startswith(reason)
    assert evolved.fields.get("raw_reply") == raw


@pytest.mark.parametrize("kind", ["evolve", "judge", "reply"])
async def test_a_failed_call_costs_its_round_only(tmp_path: Path, kind: str):
    def fail(number: int) -> str:
        if number == 1:
            raise CallFailed("timeout: no reply within 600 s")
        return f"{GOOD[kind]}"

    records = await evolve(tmp_path, script(**{kind: fail}), rounds=2)

    assert states(records) == ["live", "dropped", "live"]
    assert records[1].dropped is not None
    assert records[1].dropped.kind == "error"
    assert reasons(records) == ["timeout: no reply within 600 s"]
    assert records[1].fields["round"] == 1


async def test_an_evolved_reply_is_judged_by_the_same_rules(tmp_path: Path):
    records = await evolve(tmp_path, script(evolve="Sorry."), answered(), operators="quality")

    assert reasons(records)[0].startswith("short_apology")


async def test_the_words_of_thinking_hide_no_apology(tmp_path: Path):
    reply = f"<think>{'word ' * 100}</think>Sorry, no."

    records = await evolve(tmp_path, script(reply=reply))

    assert reasons(records)[0].startswith("short_apology: the reply says 'sorry' in 2 words")


@pytest.mark.parametrize(
    ("reply", "fails"),
    [
        ("Understood. Which text do you mean?", True),
        ("Thank you. What shall I sum up?", True),
        ("What is the text?", True),
        ("That is correct. What next?", True),
        ("Great! Which one?", True),
        ("Sure, what do you want to know?", True),
        ("To answer, please provide the table.", True),
        ("Sure: light scatters.", False),
        ("Light scatters. Is that clear?", False),
        ("Whatever scatters is blue?", False),
    ],
)
async def test_a_reply_that_asks_back_is_eliminated_on_demand(
    tmp_path: Path, reply: str, fails: bool
):
    (tmp_path / "without").mkdir()

    records = await evolve(tmp_path, script(reply=reply), eliminate={"evolution_failure": True})
    published = await evolve(tmp_path / "without", script(reply=reply))

    codes = [reason.partition(":")[0] for reason in reasons(records)]
    assert codes == (["evolution_failure"] if fails else [])
    assert reasons(published) == []
