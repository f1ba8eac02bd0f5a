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
        ({"reply": " "}, "empty_reply: the model returned no text", None),
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
