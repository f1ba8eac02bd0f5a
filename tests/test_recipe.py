"""What a recipe may say, and how the command line changes it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from synth.errors import Problem, RecipeError
from synth.recipe import Export, Recipe, Sft, load, parse, read

BENCH = """\
name: bench
seeds: [seeds.jsonl]                     # relative to the recipe
engines:
  teacher: {http: {url: "http://127.0.0.1:8123/v1", model: mock, at_once: 512}}
stages:
  - respond: {engine: teacher, sampling: {temperature: 0.8, max_tokens: 128}, n: 1}
  - verify: {verifiers: [{length: {min_words: 1}}, repetition]}
export: {sft: {test_fraction: 0.1}}
max_error_rate: 0.05
"""


def recipe(text: str) -> Recipe:
    return parse(text, file="recipe.yaml", folder=Path())[1]


def problems(text: str, **changes: str) -> list[str]:
    """Return what is wrong with a recipe, each with its place."""
    with pytest.raises(RecipeError) as refused:
        changed(text, **changes)
    return [str(problem) for problem in refused.value.problems]


def changed(text: str, **changes: str) -> Recipe:
    """Return a recipe with changes; `__` in their names stands for a dot."""
    dotted = {name.replace("__", "."): value for name, value in changes.items()}
    path = Path("recipe.yaml")
    path.write_text(text, "utf-8")
    return read(path, changes=dotted)[1]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_the_grammar_of_the_readme_is_understood():
    bench = recipe(BENCH)

    assert bench.seeds == ("seeds.jsonl",)
    assert bench.engines["teacher"]["http"]["at_once"] == 512
    assert [list(stage) for stage in bench.stages] == [["respond"], ["verify"]]
    assert bench.stages[0]["respond"]["sampling"] == {"temperature": 0.8, "max_tokens": 128}
    assert bench.stages[1]["verify"]["verifiers"] == [{"length": {"min_words": 1}}, "repetition"]
    assert bench.export == Export(sft=Sft(test_fraction=0.1))
    assert bench.max_error_rate == 0.05


def test_names_may_stand_bare_and_the_rest_has_defaults():
    short = recipe("name: a\nseeds: [b]\nengines: {small: local}\nstages: [echo, {other: }]")

    assert short.engines == {"small": {"local": {}}}
    assert short.stages == ({"echo": {}}, {"other": {}})
    assert short.export == Export(sft=Sft())
    assert (short.seed, short.max_error_rate, short.description) == (0, 0.05, "")


def test_seeds_may_be_a_count():
    assert recipe("name: a\nseeds: {count: 5}\nstages: [x]").seeds == {"count": 5}


@pytest.mark.parametrize(
    "seeds", ["{count: 0}", "{count: true}", "{cuont: 5}", "[]", "one.jsonl", "[1, 2]", "{}", ""]
)
def test_other_seeds_are_refused_in_one_sentence(seeds: str):
    (said,) = problems(f"name: a\nseeds: {seeds}\nstages: [x]")

    wanted = "wants a list of names and paths, or {count: N} with N at least 1"
    assert said.startswith(f"recipe.yaml, line 2: seeds: {wanted}, got ")


def test_numbers_and_dates_as_names_are_text():
    written = recipe("name: 2026-01-01\nseeds: [a]\nstages:\n  - draft: {logit_bias: {50256: -1}}")

    assert written.name == "2026-01-01"
    assert written.stages[0]["draft"] == {"logit_bias": {"50256": -1}}


def test_anchors_and_merges_work():
    text = "name: a\nseeds: [b]\nstages:\n- x: &one {n: 2, m: 1}\n- y: {<<: *one, m: 3}"

    assert recipe(text).stages[1] == {"y": {"n": 2, "m": 3}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "recipe.yaml: wanted a recipe: `name:`, `seeds:`, `stages:` …; found nothing"),
        ("- a\n- b", "recipe.yaml: wanted a recipe: `name:`, `seeds:`, `stages:` …; found a list"),
        ("just words", "recipe.yaml: wanted a recipe: `name:`, `seeds:`, `stages:` …; found text"),
        ("name: a\nseeds: [b\nc: d", "recipe.yaml, line 3: not YAML: "),
        ("name: a\n---\nname: b", "recipe.yaml, line 2: not YAML: "),
        ("name: a\n? [b]\n: c", "recipe.yaml, line 2: not YAML: a name must be plain text"),
        ("name: &a [*a]", "recipe.yaml: an alias holds itself, or the values are nested too deep"),
        ("name: !!python/object:os.system a", "recipe.yaml, line 1: not YAML: "),
        ("name: !!timestamp 2026-99-99", "recipe.yaml: not YAML: month"),
    ],
)
def test_what_is_no_recipe_at_all_is_told_once(text: str, said: str):
    (found,) = problems(text)

    assert found.startswith(said)


def test_every_problem_of_form_is_told_with_its_line():
    assert problems(
        "name: a recipe\ncolour: red\nseeds: [b]\nseeds: [c]\nengines:\n  one: {a: {}, b: {}}\n"
        "  two: 5\nstages:\n  - respond: 3\n  - draft:\n    n: 2\n  - {}\n"
        "export:\n  sfd: {}\n  dpo: {rejectd_by: [x], pairs_per_prompt: 0}\nmax_error_rate: 3\n"
    ) == [
        "recipe.yaml, line 1: name: wants letters, digits, `_`, `.` and `-` only, got 'a recipe'",
        "recipe.yaml, line 2: no option 'colour' here. Known: description, engines, export, "
        "max_error_rate, name, seed, seeds, stages.",
        "recipe.yaml, line 4: 'seeds' stands twice, in line 3 and here; keep one",
        "recipe.yaml, line 6: engines.one: wants one name, got 'a' and 'b'; "
        "options stand below the name, indented further",
        "recipe.yaml, line 7: engines.two: wants a name, or a name and its options, got 5",
        "recipe.yaml, line 9: respond wants options, `respond: {option: value}`, got 3",
        "recipe.yaml, line 10: wants one name, got 'draft' and 'n'; "
        "options stand below the name, indented further",
        "recipe.yaml, line 12: wants a name, or a name and its options, got {}",
        "recipe.yaml, line 14: no option 'sfd' here. Did you mean 'sft'?",
        "recipe.yaml, line 15: 'export.dpo.rejected_by' is missing",
        "recipe.yaml, line 15: export.dpo.pairs_per_prompt should be greater than or equal to 1, "
        "got 0",
        "recipe.yaml, line 15: no option 'rejectd_by' here. Did you mean 'rejected_by'?",
        "recipe.yaml, line 16: max_error_rate should be less than or equal to 1, got 3",
    ]


def test_what_is_missing_is_named():
    assert problems("name: a") == [
        "recipe.yaml: 'seeds' is missing",
        "recipe.yaml: 'stages' is missing",
    ]


def test_a_problem_is_found_where_its_list_item_stands():
    (said,) = problems("name: a\nseeds: [b]\nstages: [x]\nexport:\n  dpo:\n    rejected_by:\n"
                       "      - one\n      - {two: 2}\n")  # fmt: skip

    assert said.startswith("recipe.yaml, line 8: should be a valid string")


def test_a_recipe_cannot_be_changed():
    with pytest.raises(ValueError, match="frozen"):
        setattr(recipe(BENCH), "name", "other")  # noqa: B010 (what a careless caller would do)


CHANGED: list[tuple[str, str, Any]] = [
    ("name", "other", ("name", "other")),
    ("seed", "7", ("seed", 7)),
    ("engines.teacher.http.url", "http://x/v1", ("engines.teacher.http.url", "http://x/v1")),
    ("engines.teacher", "{local: {}}", ("engines.teacher", {"local": {}})),
    ("stages.respond.n", "4", ("stages.0.respond.n", 4)),
    ("stages.0.n", "4", ("stages.0.respond.n", 4)),
    ("stages.respond.sampling.top_p", "0.5", ("stages.0.respond.sampling.top_p", 0.5)),
    ("stages.respond.sampling", "{seed: 1}", ("stages.0.respond.sampling", {"seed": 1})),
    (
        "stages.verify.verifiers.length.min_words",
        "3",
        ("stages.1.verify.verifiers.0.length.min_words", 3),
    ),
    ("stages.verify.verifiers.repetition.as", "loops", ("stages.1.verify.verifiers.1",
     {"repetition": {"as": "loops"}})),
    ("seeds.0", "other.jsonl", ("seeds.0", "other.jsonl")),
    ("seeds", "{count: 3}", ("seeds", {"count": 3})),
    ("export.sft.test_fraction", "0.2", ("export.sft.test_fraction", 0.2)),
    ("export.dpo.rejected_by", "[length]", ("export.dpo.rejected_by", ["length"])),
    ("description", "", ("description", None)),
]  # fmt: skip


@pytest.mark.parametrize(("dotted", "value", "wanted"), CHANGED)
def test_the_command_line_changes_a_value(dotted: str, value: str, wanted: tuple[str, Any]):
    Path("recipe.yaml").write_text(BENCH, "utf-8")

    tree: Any = load(Path("recipe.yaml"), changes={dotted: value}).value

    for step in wanted[0].split("."):
        tree = tree[int(step)] if step.isdecimal() else tree[step]
    assert tree == wanted[1]


def test_a_stage_is_found_by_its_label_among_its_like():
    text = BENCH + "seed: 1\n"
    text = text.replace("stages:\n", "stages:\n  - respond: {engine: teacher, as: draft, n: 2}\n")

    made = changed(text, stages__draft__n="9")

    assert [made.stages[0]["respond"]["n"], made.stages[1]["respond"]["n"]] == [9, 1]


@pytest.mark.parametrize(
    ("dotted", "said"),
    [
        ("engines.techer.http.url", "no engine named 'techer' in this recipe. "
         "Did you mean 'teacher'?"),
        ("stages.respnd.n", "no item 'respnd' in the list. Did you mean 'respond'?"),
        ("stages.7.n", "no item '7' in the list. Known: respond, verify."),
        ("name.first", "nothing to set at 'first': found 'bench'"),
        ("name.first.letter", "'name' has no options, it is 'bench'"),
        ("seeds.4", "nothing to set at '4': the list has no such number"),
        ("stages.respond.n.x", "nothing to set at 'x': found 1"),
    ],
)  # fmt: skip
def test_a_path_that_leads_nowhere_is_named(dotted: str, said: str):
    assert problems(BENCH, **{dotted.replace(".", "__"): "1"}) == [f"--set {dotted}: {said}"]


def test_a_change_that_is_no_yaml_is_named():
    assert problems(BENCH, name="[a") == ["--set name: not YAML: '[a'. Put it into quotes"]


@pytest.mark.parametrize(
    ("dotted", "value", "said"),
    [
        ("max_error_rate", "3", "max_error_rate should be less than or equal to 1, got 3"),
        ("colour", "red", "no option 'colour' here. Known: description, engines, export, "
         "max_error_rate, name, seed, seeds, stages."),
        ("export.sfd.test_fraction", "0.1", "no option 'sfd' here. Did you mean 'sft'?"),
        ("export.sft.test_fraction", "half",
     "export.sft.test_fraction should be a valid number, got 'half'"),
    ],
)  # fmt: skip
def test_a_wrong_change_is_not_blamed_on_a_line_of_the_file(dotted: str, value: str, said: str):
    found = problems(BENCH, **{dotted.replace(".", "__"): value})

    assert found == [f"--set {dotted}: {said}"]


def test_an_item_of_a_list_from_the_command_line_is_told_with_its_option():
    Path("recipe.yaml").write_text(BENCH, "utf-8")

    source = load(Path("recipe.yaml"), changes={"seeds": "[gone.jsonl]"})

    assert str(source.problem("gone", ("seeds", 0))) == "--set seeds: gone"


def test_what_a_run_keeps_of_a_changed_recipe_is_the_changed_recipe():
    Path("recipe.yaml").write_text(BENCH, "utf-8")

    text = load(Path("recipe.yaml"), changes={"stages.respond.n": "4", "seed": "7"}).text

    kept = recipe(text)
    assert (kept.stages[0]["respond"]["n"], kept.seed) == (4, 7)
    assert text.startswith("# --set stages.respond.n='4'\n# --set seed='7'\n")


def test_what_a_run_keeps_of_an_unchanged_recipe_is_its_text():
    Path("recipe.yaml").write_text(BENCH, "utf-8")

    assert load(Path("recipe.yaml")).text == BENCH


def test_a_recipe_that_cannot_be_read_says_why():
    with pytest.raises(RecipeError, match=r"could not read 'none\.yaml': No such file"):
        load(Path("none.yaml"))
    Path("latin.yaml").write_bytes("name: ü".encode("latin-1"))
    with pytest.raises(RecipeError, match="UTF-8"):
        load(Path("latin.yaml"))


def test_several_problems_are_counted_and_one_is_not():
    one, two = Problem("a"), Problem("b", "recipe.yaml", 3)

    assert str(RecipeError([one])) == "a"
    assert str(RecipeError([one, two])) == "2 problems\na\nrecipe.yaml, line 3: b"
