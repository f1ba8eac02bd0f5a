"""What a plan finds wrong, and what makes a finished stage worthless."""

from __future__ import annotations

from pathlib import Path

import pytest

from synth.errors import RecipeError
from synth.run.plan import Plan, locate, plan
from tests.running import saying, write_lines, write_recipe

RECIPE = """\
name: bench
seeds: [seeds.jsonl]
engines:
  teacher: {scripted: {model: small}}
  judge: {http: {url: "http://127.0.0.1:1/v1", model: judge}}
stages:
  - respond: {engine: teacher, prompt: ask.jinja, n: 2}
  - respond: {engine: judge, as: again}
  - verify: {verifiers: [{length: {min_words: 1}}, repetition]}
export:
  dpo: {rejected_by: [length]}
"""
LABELS = ("seeds", "respond", "again", "verify")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_recipe(tmp_path, RECIPE, seeds=[{"instruction": "Why?"}])
    (tmp_path / "ask.jinja").write_text("{{ instruction }}")
    return tmp_path


def planned(folder: Path, *edits: tuple[str, str], **changes: str) -> Plan:
    """Return the plan of the recipe with its text edited, or changed as by --set."""
    text = RECIPE
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    path = write_recipe(folder, text)
    return plan(path, changes={name.replace("__", "."): value for name, value in changes.items()})


def complaints(folder: Path, *edits: tuple[str, str], **changes: str) -> list[str]:
    """Return what is wrong with the edited recipe, with the line or `--set` where it stands."""
    with pytest.raises(RecipeError) as refused:
        planned(folder, *edits, **changes)
    return [str(p).removeprefix(f"{folder}/recipe.yaml, ") for p in refused.value.problems]


def same(before: Plan, after: Plan) -> tuple[str, ...]:
    """Return the labels of the stages whose finished files still count."""
    pairs = zip(before.labels, before.keys(None), after.keys(None), strict=True)
    return tuple(label for label, old, new in pairs if old == new)


def test_a_recipe_becomes_steps_with_their_prompts_and_engines(folder: Path):
    made = planned(folder)

    assert made.labels == LABELS
    assert [step.stage.name for step in made.steps] == ["respond", "respond", "verify"]
    assert made.steps[0].prompts["prompt"].source == "{{ instruction }}"
    assert made.steps[1].prompts == {}
    assert made.engines["judge"].identity.model == "judge"


def test_the_same_recipe_has_the_same_keys_wherever_it_lies(folder: Path, tmp_path: Path):
    other = tmp_path / "elsewhere"
    other.mkdir()
    write_lines(other / "seeds.jsonl", [{"instruction": "Why?"}])
    (other / "ask.jinja").write_text("{{ instruction }}")

    assert same(planned(folder), planned(other)) == LABELS


def test_every_key_is_another(folder: Path):
    keys = planned(folder).keys(None)

    assert len(set(keys)) == 4


@pytest.mark.parametrize(
    ("edit", "kept"),
    [
        (("http://127.0.0.1:1/v1", "http://other:9/v1"), LABELS),
        (("model: judge}", "model: judge, at_once: 3, timeout_s: 5, tries: 1}"), LABELS),
        (("name: bench", "name: other\ndescription: words\nmax_error_rate: 1"), LABELS),
        (("rejected_by: [length]", "rejected_by: [repetition]"), LABELS),
        (("min_words: 1", "min_words: 2"), LABELS[:3]),
        (("repetition]", "refusal]"), LABELS[:3]),
        (("repetition]", "repetition], timeout_s: 9, memory_mb: 256"), LABELS),
        (("model: judge}", "model: larger}"), LABELS[:2]),
        (("as: again", "as: again, sampling: {top_p: 0.5}"), LABELS[:2]),
        (("as: again", "as: later"), LABELS[:2]),
        (("n: 2", "n: 3"), LABELS[:1]),
        (("model: small", "model: large"), LABELS[:1]),
        (("name: bench", "name: bench\nseed: 1"), LABELS[:1]),
    ],
)
def test_what_changes_makes_exactly_what_depends_on_it_anew(
    folder: Path, edit: tuple[str, str], kept: tuple[str, ...]
):
    before = planned(folder)

    after = planned(folder, edit)

    pairs = zip(LABELS, before.keys(None), after.keys(None), strict=True)
    assert tuple(label for label, old, new in pairs if old == new) == kept


def test_another_prompt_text_makes_its_stage_anew(folder: Path):
    before = planned(folder).keys(None)
    (folder / "ask.jinja").write_text("{{ instruction }}!")

    after = planned(folder).keys(None)

    assert [old == new for old, new in zip(before, after, strict=True)] == [True] + [False] * 3


def test_other_seeds_make_everything_anew(folder: Path):
    before = planned(folder).keys(None)
    write_lines(folder / "seeds.jsonl", [{"instruction": "Who?"}])

    after = planned(folder).keys(None)

    assert not set(before) & set(after)
    assert not set(after) & set(planned(folder).keys(1))


def test_at_once_is_set_for_all_engines_and_changes_no_key(folder: Path):
    before = planned(folder)

    after = before.at_once(3)

    assert {engine.at_once for engine in after.engines.values()} == {3}
    assert same(before, after) == LABELS


def test_engines_given_in_python_replace_those_of_the_recipe(folder: Path):
    mine = saying("answer")

    made = plan(folder, engines={"teacher": mine})

    assert made.engines["teacher"] is mine
    assert made.engines["judge"].name == "http"


def test_prompt_texts_of_the_stage_itself_need_no_file(tmp_path: Path):
    text = "name: a\nseeds: {count: 2}\nengines: {m: scripted}\nstages: [{magpie: {engine: m}}]"

    assert list(plan(write_recipe(tmp_path, text)).steps[0].prompts) == ["turn_prompt"]


COMPLAINTS: list[tuple[tuple[str, str], str]] = [
    (("seeds.jsonl", "seed.jsonl"), "line 2: no seed set, file or folder 'seed.jsonl'."),
    (("scripted", "script"), "line 4: no engine named 'script'. Did you mean 'scripted'?"),
    (("model: small", "modell: small"), "line 4: no option 'modell' here. Did you mean 'model'?"),
    (("engine: teacher", "engine: techer"),
     "line 7: no engine named 'techer' in this recipe. Did you mean 'teacher'?"),
    (("n: 2", "nn: 2"), "line 7: no option 'nn' here. Did you mean 'n'?"),
    (("n: 2", "n: 0"), "line 7: n should be greater than or equal to 1, got 0"),
    (("n: 2", "as_: draft"), "line 7: no option 'as_' here. Did you mean 'as'?"),
    (("ask.jinja", "aks.jinja"),
     "line 7: no prompt file 'aks.jinja' beside the recipe. Did you mean 'ask.jinja'?"),
    (("as: again", "as: verify"),
     "line 9: no stage may be called 'verify': another stage is called so; name it with `as`"),
    (("as: again", "as: seeds"),
     "line 8: no stage may be called 'seeds': that is what comes before the first stage; name it "
     "with `as`"),
    (("as: again", "as: a/b"), "line 8: `as` wants letters, digits, - and _, got 'a/b'"),
    (("as: again", "as: "), "line 8: `as` wants letters, digits, - and _, got ''"),
    (("repetition]", "repetiton]"),
     "line 9: no verifier named 'repetiton'. Did you mean 'repetition'? `synth plugins` lists all"),
    (("repetition]", "respond]"),
     "line 9: no verifier named 'respond'; there is a stage of that name"),
    (("min_words", "min_word"), "line 9: no option 'min_word' here. Did you mean 'min_words'?"),
    (("min_words: 1", "min_words: 1, on_fial: keep"),
     "line 9: no option 'on_fial' here. Did you mean 'on_fail'?"),
    (("repetition]", "{length: {max_words: 9}}]"),
     "line 9: no verifier may be called 'length': another one is called so; name it with `as`"),
    (("[length]", "[lenght]"),
     "line 11: no verifier is called 'lenght' here. Did you mean 'length'?"),
]  # fmt: skip


@pytest.mark.parametrize(("edit", "said"), COMPLAINTS)
def test_a_mistake_is_named_once_with_its_line_and_the_nearest_name(
    folder: Path, edit: tuple[str, str], said: str
):
    (found,) = complaints(folder, edit)

    assert found.startswith(said)


def test_a_label_that_nobody_wrote_down_is_no_label(folder: Path):
    found = complaints(folder, ("rejected_by: [length]", "rejected_by: [again]"))

    assert found == ["line 11: no verifier is called 'again' here. Known: length, repetition."]


def test_a_verifier_that_cannot_be_made_is_still_called_what_it_is_called(folder: Path):
    found = complaints(folder, ("min_words: 1", "min_word: 1, as: long"), ("[length]", "[long]"))

    assert found == ["line 9: no option 'min_word' here. Did you mean 'min_words'?"]


def test_an_engine_that_lacks_a_capability_is_refused(folder: Path):
    (folder / "mute.py").write_text(
        "from synth import Engine\n\nclass Mute(Engine):\n    name = 'mute'\n"
        "    capabilities = frozenset({'chat'})\n"
    )
    found = complaints(
        folder,
        ('{http: {url: "http://127.0.0.1:1/v1", model: judge}}', "./mute.py:Mute"),
        ("  - verify", "  - magpie:\n      engine: judge\n  - verify"),
    )

    assert found == [
        "line 10: magpie needs an engine that can chat_text and text; "
        "'judge' is of kind 'mute', which cannot"
    ]


def test_a_seed_among_the_sampling_is_sent_to_the_top(folder: Path):
    seeded = ("as: again", "as: again, sampling: {seed: 5}")

    [complaint] = complaints(folder, seeded)

    assert complaint.startswith("line 8: every call has a seed of its own")


def test_a_recipe_without_engines_says_so(folder: Path):
    engines = "".join(RECIPE.splitlines(keepends=True)[2:5])

    found = complaints(folder, (engines, ""))

    assert found == [
        "line 4: no engine named 'teacher' in this recipe. The recipe has no `engines:`.",
        "line 5: no engine named 'judge' in this recipe. The recipe has no `engines:`.",
    ]


def test_a_prompt_that_does_not_parse_is_named_by_its_own_line(folder: Path):
    (folder / "ask.jinja").write_text("--- user\n{{ a b }}")

    (found,) = complaints(folder)

    assert found.startswith("ask.jinja, line 2: the template does not parse: ")


def test_problems_of_form_hide_no_problem_of_meaning(folder: Path):
    found = complaints(
        folder,
        ("name: bench", "name: a bench"),
        ("n: 2", "nn: 2"),
        ("{engine: judge, as: again}", "5"),
        ("repetition]", "repetiton]"),
    )

    assert [said.partition(":")[0] for said in found] == ["line 1", "line 7", "line 8", "line 9"]


def test_a_wrong_change_is_blamed_on_the_command_line(folder: Path):
    changes = {"stages__again__nn": "3", "engines__judge__http__at_once": "none"}

    found = complaints(folder, **changes)

    assert found == [
        "--set engines.judge.http.at_once: at_once should be a valid integer, got 'none'",
        "--set stages.again.nn: no option 'nn' here. Did you mean 'n'?",
    ]


def test_a_folder_with_a_recipe_is_a_recipe(folder: Path):
    assert locate(str(folder)) == folder / "recipe.yaml"


def test_a_shipped_recipe_is_found_by_its_name():
    assert locate("quickstart").name == "recipe.yaml"


def test_a_name_that_is_no_recipe_is_answered_with_the_nearest():
    with pytest.raises(RecipeError, match=r"no recipe 'quickstar': .* Did you mean 'quickstart'\?"):
        locate("quickstar")


def test_the_place_of_a_recipe_is_told_as_it_was_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(folder.parent)
    write_recipe(folder, RECIPE.replace("n: 2", "nn: 2"))

    with pytest.raises(RecipeError) as refused:
        plan(folder.name)

    assert str(refused.value).startswith(f"{folder.name}/recipe.yaml, line 7: ")


@pytest.mark.parametrize(
    ("seeds", "has"),
    [("[seeds.jsonl]", "it has text"), ("{count: 5}", "it has no fields")],
)
def test_seeds_that_the_first_stage_can_make_nothing_of_are_refused(
    seeds: str, has: str, tmp_path: Path
):
    recipe = f"""\
name: bench
seeds: {seeds}
engines: {{teacher: {{scripted: {{}}}}}}
stages: [{{self_instruct: {{engine: teacher}}}}]
export: {{sft: {{}}}}
"""
    path = write_recipe(tmp_path, recipe, seeds=[{"text": "x"}])

    with pytest.raises(RecipeError, match=rf"line 2: self_instruct needs of each seed .*{has}"):
        plan(path)


def test_seeds_that_may_break_off_make_everything_anew(folder: Path):
    logs = ("- respond: {engine: teacher, prompt: ask.jinja, n: 2}", "- clean_chats")

    plain, cleaned = planned(folder), planned(folder, logs)

    assert (plain.takes_broken, cleaned.takes_broken) == (False, True)
    assert plain.keys(None)[0] != cleaned.keys(None)[0]


def test_a_dataset_on_the_hub_is_not_asked_for_its_first_row(folder: Path):
    made = planned(folder, ("[seeds.jsonl]", '["hub:acme/there_is_no_such_dataset"]'))

    assert [source.at_hand for source in made.seeds] == [False]


def test_a_stage_with_a_prompt_of_its_own_takes_any_seed(folder: Path):
    (folder / "ask.jinja").write_text("{{ text }}")

    planned(folder, ("[seeds.jsonl]", "{count: 2}"))


def test_a_model_without_a_chat_template_is_refused(folder: Path):
    (folder / "model").mkdir()
    (folder / "model/tokenizer_config.json").write_text("{}")

    said = complaints(folder, ("{scripted: {model: small}}", "{vllm: {model: ./model}}"))

    assert said == [
        "line 7: respond needs an engine that can chat; 'teacher' cannot: the folder 'model' holds "
        "no chat template; name a file as `chat_template`"
    ]
