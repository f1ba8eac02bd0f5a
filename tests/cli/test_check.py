"""`synth check`: everything that is wrong at once, where it stands, in words that help."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.plugins import KINDS, listed
from tests.running import command, write_lines, write_recipe

HERE = Path(__file__).parent
FINE = """\
name: fine
seeds: [seeds.jsonl]
engines:
  teacher: {scripted: {replies: replies.jsonl, model: small}}
stages:
  - respond: {engine: teacher, prompt: ask.jinja}
  - verify: {verifiers: [repetition]}
export: {sft: {}, dpo: {rejected_by: [repetition]}}
"""
WRONG = """\
name: wrong
seeds:
  - seeds.jsonl
  - everyday_question
colour: red
engines:
  teacher:
    scripted: {replies: replies.jsonl}
  other: {http: {url: "http://127.0.0.1:1/v1"}}
stages:
  - respnd: {engine: teacher}
  - respond:
      engine: techer
      samples: 3
      sampling:
        temperature: -1
        temprature: 1
  - respond: {engine: teacher, as: draft, prompt: broken.jinja}
  - respond: {engine: teacher, as: draft, prompt: aks.jinja}
  - verfy: {engine: teacher}
  - verify:
      verifiers:
        - lenght
        - repetition
        - length:
            min_word: 3
            max_words: many
        - length: {max_words: 9, on_fail: delete, as: brief}
        - refusal: {on_fail: keep}
          as: refused
  - verify:
      as: final
      verifiers: []
export:
  dpo: {rejected_by: [repetition, lenth], pairs_per_prompt: 0}
max_error_rate: 5%
export: {sft: {}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_lines(tmp_path / "seeds.jsonl", [{"instruction": "Why?"}])
    write_lines(tmp_path / "replies.jsonl", [{"prompt": "Why?", "reply": "Because."}])
    (tmp_path / "ask.jinja").write_text("{{ instruction }}")
    (tmp_path / "broken.jinja").write_text("--- system\nHi.\n--- user\n{% if x %}\n{{ a b }}\n")
    return tmp_path


def test_everything_wrong_is_told_at_once_with_line_and_nearest_name(folder: Path):
    write_recipe(folder, WRONG)

    said = command("check", "recipe.yaml")

    assert said.code == 2
    assert said.out == ""
    text = (HERE / "wrong_recipe.txt").read_text("utf-8")
    assert said.err == text.format(**{kind: len(listed(kind)) for kind in KINDS})


def test_a_recipe_that_is_fine_is_summed_up(folder: Path):
    write_recipe(folder, FINE)

    said = command("check", "recipe.yaml")

    assert (said.code, said.err) == (0, "")
    assert said.out == (
        "fine: fine\n"
        "  seeds    seeds.jsonl\n"
        "  engine   teacher: scripted, small, 256 at once\n"
        "  stage    respond\n"
        "  stage    verify\n"
        "  export   sft, dpo\n"
    )


def test_it_says_what_a_run_in_a_folder_would_make_again(folder: Path):
    write_recipe(folder, FINE)
    assert command("run", "recipe.yaml", "--into", "run").code == 0

    unchanged = command("check", "recipe.yaml", "--into", "run").out
    changed = command("check", "recipe.yaml", "--into", "run", "--set",
                      "stages.verify.verifiers.repetition.copies=9").out  # fmt: skip

    again = "to be made (from stored calls where they still hold)"
    kept = [line for line in unchanged.splitlines() if line.endswith(": kept")]
    assert len(kept) == 3
    assert f"  stage    respond: kept\n  stage    verify: {again}\n" in changed


def test_checking_makes_nothing(folder: Path):
    write_recipe(folder, FINE)
    before = sorted(folder.iterdir())

    command("check", "recipe.yaml", "--into", "run")

    assert sorted(folder.iterdir()) == before


def test_a_wrong_change_is_blamed_on_the_command_line(folder: Path):
    write_recipe(folder, FINE)

    said = command("check", "recipe.yaml", "--set", "stages.respond.nn=3", "--set", "seed=x")

    assert (said.code, said.out) == (2, "")
    assert said.err == (
        "synth: 2 problems\n"
        "--set seed: seed should be a valid integer, got 'x'\n"
        "--set stages.respond.nn: no option 'nn' here. Did you mean 'n'?\n"
    )


def test_a_change_without_a_value_is_refused(folder: Path):
    write_recipe(folder, FINE)

    said = command("check", "recipe.yaml", "--set", "seed")

    assert (said.code, said.err) == (2, "synth: --set wants PATH=VALUE, got 'seed'\n")


def test_one_problem_needs_no_count(folder: Path):
    write_recipe(folder, FINE.replace("engine: teacher", "engine: teach"))

    said = command("check", "recipe.yaml")

    assert said.err == (
        "synth: recipe.yaml, line 6: no engine named 'teach' in this recipe. "
        "Did you mean 'teacher'?\n"
    )


def test_an_engine_that_cannot_do_what_a_stage_needs_is_refused(folder: Path):
    (folder / "mute.py").write_text(
        "from synth import Engine\n\nclass Mute(Engine):\n    name = 'mute'\n"
        "    capabilities = frozenset({'chat'})\n"
    )
    text = FINE.replace("teacher: {scripted: {replies: replies.jsonl, model: small}}",
                        "teacher: ./mute.py:Mute")  # fmt: skip
    write_recipe(folder, text.replace("  - verify", "  - magpie: {engine: teacher}\n  - verify"))

    said = command("check", "recipe.yaml")

    assert said.err == (
        "synth: recipe.yaml, line 7: magpie needs an engine that can chat_text and text; "
        "'teacher' is of kind 'mute', which cannot\n"
    )


def test_a_recipe_that_is_not_there_is_answered_with_the_nearest():
    said = command("check", "quikstart")

    assert said.code == 2
    assert said.err == (
        "synth: no recipe 'quikstart': neither a file, nor a folder with recipe.yaml, nor "
        "shipped. Did you mean 'quickstart'?\n"
    )


def test_every_shipped_recipe_is_fine():
    said = command("check", "quickstart")

    assert (said.code, said.err) == (0, "")
