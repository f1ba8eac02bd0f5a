"""How operators are spelled, drawn and checked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from synth.engine.base import Chat, Origin, Prompted, Sampling
from synth.engine.scripted import ScriptedEngine
from synth.run.plan import plan
from synth.stages.evolve import Evolve
from synth.stages.parts.operators import FAMILIES, draw
from tests.running import command, question, services, write_recipe


async def test_operators_are_drawn_evenly(tmp_path: Path):
    names = FAMILIES["wizardlm"]

    async with services(tmp_path) as given:
        drawn = Counter(
            draw(names, given.rng(question(number=number, text=str(number)), f"round {round_}"))
            for number in range(1500)
            for round_ in range(1, 5)
        )

    # Chi-square of 5 degrees of freedom: 15.09 at p = 0.01.
    assert sum((drawn[name] - 1000) ** 2 / 1000 for name in names) < 15.09


async def test_the_order_of_the_operators_draws_no_other(tmp_path: Path):
    names = FAMILIES["wizardlm"]

    async with services(tmp_path) as given:
        one, other = given.rng(question(), "round 1"), given.rng(question(), "round 1")

        assert draw(names, one) == draw(reversed(names), other)


@pytest.mark.parametrize(
    ("operators", "names"),
    [
        ("wizardmath", {"math_upward", "math_downward"}),
        ("deepen", {"deepen"}),
        (["deepen", "wizardmath"], {"deepen", "math_upward", "math_downward"}),
        ({"legal": "legal.jinja"}, {"legal"}),
        (["deepen", {"legal": "legal.jinja"}], {"deepen", "legal"}),
        ({"legal": "legal.jinja", "deepen": None}, {"deepen", "legal"}),
    ],
)
def test_operators_may_be_spelled_in_these_ways(operators: Any, names: set[str]):
    stage = Evolve.model_validate({"engine": "x", "operators": operators})

    assert set(stage.operators) == names


@pytest.mark.parametrize(
    ("operators", "message"),
    [
        ("wizard_lm", "no operator or family 'wizard_lm'. Did you mean 'wizardlm'?"),
        (["depen"], "no operator or family 'depen'. Did you mean 'deepen'?"),
        ({"legal": 3}, "wants `name: file.jinja` for an operator of your own, got legal: 3"),
        ({"judge_prompt": "x.jinja"}, "got judge_prompt: 'x.jinja'"),
        ([], "wants at least one; families are wizardlm, wizardcoder, wizardmath, quality"),
        (7, "no operator or family 7."),
        (["deepen", "reply_depth"], "give each kind a stage of its own"),
    ],
)
def test_operators_that_cannot_be_are_refused(operators: Any, message: str):
    with pytest.raises(ValidationError) as caught:
        Evolve.model_validate({"engine": "x", "operators": operators})

    assert message in str(caught.value)


def test_every_shipped_operator_has_a_prompt():
    names = {name for family in FAMILIES.values() for name in family}

    assert names | {"judge_prompt"} == set(Evolve.default_prompts)


def test_a_changed_prompt_of_an_operator_not_drawn_from_changes_nothing():
    stage = Evolve(engine="x", operators={"deepen": None}, eliminate=Evolve(engine="x").eliminate)

    assert set(stage.compiled({})) == {"deepen", "judge_prompt"}


RECIPE = """
name: evolved
seeds: [./seeds.jsonl]
engines: {teacher: scripted}
stages:
  - evolve: {engine: teacher, operators: %s}
"""


def test_check_refuses_an_unknown_operator_by_line(tmp_path: Path):
    recipe = write_recipe(tmp_path, RECIPE % "[depen]", seeds=[{"instruction": "Why?"}])

    said = command("check", str(recipe))

    assert said.code == 2
    assert "line 6" in said.err
    assert "Did you mean 'deepen'?" in said.err


def test_check_reads_the_file_of_an_operator_of_ones_own(tmp_path: Path):
    recipe = write_recipe(tmp_path, RECIPE % "{legal: legal.jinja}", seeds=[{"instruction": "?"}])

    missing = command("check", str(recipe))

    assert missing.code == 2
    assert "no prompt file 'legal.jinja' beside the recipe" in missing.err


async def test_an_operator_of_ones_own_rewrites_with_its_file(tmp_path: Path):
    (tmp_path / "legal.jinja").write_text("Move it to court: {{ instruction }}", "utf-8")
    recipe = write_recipe(tmp_path, RECIPE % "{legal: legal.jinja}", seeds=[{"instruction": "?"}])
    stage = plan(recipe).steps[0].stage
    prompts = {name: prompt.source for name, prompt in plan(recipe).steps[0].prompts.items()}
    seen: list[str] = []

    def reply(prompt: Prompted, sampling: Sampling, origin: Origin) -> str:
        assert isinstance(prompt, Chat)
        seen.append(prompt.messages[0]["content"])
        return "Light scatters."

    engines = {"teacher": ScriptedEngine(reply)}
    async with services(tmp_path, engines=engines, prompts=prompts) as given:
        records = await stage.apply(question("Why?"), given)

    assert seen[0] == "Move it to court: Why?"
    assert records[1].fields["operator"] == "legal"


@pytest.mark.parametrize(("of", "rewrites"), [(None, "instruction"), ("reply", "reply")])
def test_an_operator_of_ones_own_is_for_what_the_recipe_says(of: Any, rewrites: str):
    stage = Evolve.model_validate({"engine": "x", "operators": {"legal": "x.jinja"}, "of": of})

    assert stage.rewrites == rewrites
