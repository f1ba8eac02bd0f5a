"""Plugins are found by name, by module and by file; a broken one is named and hurts nobody else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from synth.errors import PluginError
from synth.plugins import VerifierSpec, find, listed

POLITE_FILE = """
from synth import verifier

@verifier
def polite(record) -> bool:
    return "please" in record.reply

def plain(record) -> bool:
    return True

@verifier
def curt(record) -> bool:
    return len(record.reply) < 20
"""


def ask(expression: str, *folders: Path) -> Any:
    """Return what an expression gives in a new Python that has `folders` on its path."""
    code = (
        "import asyncio, json, sys\n"
        "from synth import plugins, errors, testing, Chat, Message, Origin, Sampling\n"
        "def said(kind, name):\n"
        "    try: return plugins.find(kind, name).source\n"
        "    except errors.PluginError as error: return str(error)\n"
        f"print(json.dumps({expression}))"
    )
    path = os.pathsep.join([*map(str, folders), os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    command = [sys.executable, "-c", code]
    environment = {**os.environ, "PYTHONPATH": path}
    ended = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, cwd=folders[0]
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.fixture
def rival(tmp_path: Path) -> Path:
    """Return a folder with another installed distribution that also brings `polite`."""
    about = tmp_path / "rival_synth-0.9.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: rival-synth\nVersion: 0.9\n")
    (about / "entry_points.txt").write_text("[synth.verifiers]\npolite = rival_synth:polite\n")
    (tmp_path / "rival_synth.py").write_text(POLITE_FILE)
    return tmp_path


@pytest.fixture
def recipe_folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(POLITE_FILE)
    return tmp_path


def test_our_own_plugins_come_through_entry_points():
    found = find("verifiers", "length")

    assert found.cls.__module__ == "synth.verifiers.length"
    assert found.source.startswith("expertsynth ")


def test_listing_imports_no_plugin(acme: Path):
    names, imported = ask(
        "([[each.name, each.target, each.source] for each in plugins.listed('verifiers')],"
        " [name for name in sys.modules if name.startswith(('acme_synth', 'synth.verifiers'))])",
        acme,
    )

    assert ["broken", "acme_synth.broken:Broken", "acme-synth-plugin 1.2.3"] in names
    assert "length" in [name for name, _, _ in names]
    assert imported == []


def test_another_teams_verifiers_stage_and_engine_work(acme: Path):
    outcomes, shouted, echoed = ask(
        "([v.outcome for v in testing.judge('polite', ['Thank you.', 'Go away.', ''], words=1)],"
        " asyncio.run(plugins.find('stages', 'shout').cls(marks=2).apply("
        "   testing.record('hello'), type('Label', (), {'label': 'loud'})))[0].reply,"
        " asyncio.run(plugins.find('engines', 'parrot').cls(times=2).complete("
        "   Chat((Message(role='user', content='hey'),)), Sampling(), Origin('', ''))).text)",
        acme,
    )

    assert outcomes == ["pass", "fail", "abstain"]
    assert shouted == "HELLO!!"
    assert echoed == "hey hey"


def test_broken_plugins_are_named_with_their_distribution_and_hurt_nobody_else(acme: Path):
    broken, quits, vanished, misplaced, well = ask(
        "[said('verifiers', name) for name in"
        " ('broken', 'quits', 'vanished', 'misplaced', 'dosage_mentioned')]",
        acme,
    )

    assert broken == (
        "the verifier 'broken' of acme-synth-plugin 1.2.3 does not load: "
        "ImportError: No module named 'acme_secret_sauce'"
    )
    assert "'quits' of acme-synth-plugin 1.2.3 does not load: SystemExit: usage" in quits
    assert "'vanished' of acme-synth-plugin 1.2.3 does not load: AttributeError" in vanished
    assert "must be a subclass of synth.Verifier or synth.ModelVerifier, is <class" in misplaced
    assert well == "acme-synth-plugin 1.2.3"


def test_two_distributions_with_one_name_are_both_named_and_can_be_told_apart(
    acme: Path, rival: Path
):
    both, hers, theirs = ask(
        "[said('verifiers', name) for name in"
        " ('polite', 'acme_synth.verifiers:polite', 'rival_synth:polite')]",
        acme,
        rival,
    )

    assert both == (
        "acme-synth-plugin 1.2.3 and rival-synth 0.9 both bring a verifier named 'polite'. "
        "Say which: 'acme_synth.verifiers:polite' or 'rival_synth:polite'."
    )
    assert hers == "acme-synth-plugin 1.2.3"
    assert theirs == "rival-synth 0.9"


def test_the_contract_works_for_another_team(acme: Path):
    tests = Path(__file__).parent / "acme_plugin" / "tests"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
    environment = {**os.environ, "PYTHONPATH": str(acme)}

    ended = subprocess.run(
        [*command, "--rootdir", str(acme), "-c", os.devnull],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=acme,
    )

    assert ended.returncode == 0, ended.stdout
    assert "16 passed" in ended.stdout


def test_an_unknown_name_comes_with_the_nearest_one():
    with pytest.raises(PluginError) as raised:
        find("verifiers", "repitition")

    assert "no verifier named 'repitition'. Did you mean 'repetition'?" in str(raised.value)
    assert f"lists all {len({each.name for each in listed('verifiers')})}" in str(raised.value)


def test_a_name_of_another_kind_says_so():
    with pytest.raises(PluginError, match="no verifier named 'respond'; there is a stage"):
        find("verifiers", "respond")


def test_a_plugin_may_be_named_by_module_and_class():
    found = find("verifiers", "synth.verifiers.length:Length")

    assert found.cls is find("verifiers", "length").cls
    assert found.source == find("verifiers", "length").source


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_such_module:Class", "'no_such_module:Class' does not load: ModuleNotFoundError"),
        ("json:Class", "'json:Class' does not load: AttributeError"),
        ("json:JSONDecoder", "must be a subclass of synth.Verifier"),
    ],
)
def test_a_module_that_does_not_hold_a_verifier_is_refused(name: str, said: str):
    with pytest.raises(PluginError, match=said):
        find("verifiers", name)


def test_a_plugin_may_be_a_function_in_a_file_beside_the_recipe(recipe_folder: Path):
    found = find("verifiers", "./mine.py:polite", folder=recipe_folder)
    spec = VerifierSpec("./mine.py:polite", "{}", str(recipe_folder))

    assert found.cls.name == "polite"
    assert found.source.startswith("file mine.py ")
    assert isinstance(spec.make(), found.cls)


def test_a_changed_file_is_another_plugin(recipe_folder: Path):
    before = find("verifiers", "./mine.py:polite", folder=recipe_folder)
    (recipe_folder / "mine.py").write_text(POLITE_FILE + "\n# changed\n")

    after = find("verifiers", "./mine.py:polite", folder=recipe_folder)

    assert after.source != before.source
    assert after.cls is not before.cls


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("./yours.py:polite", "no file './yours.py' beside the recipe"),
        ("./mine.py:polit", r"'./mine.py' has no 'polit'. Did you mean 'polite'\?"),
        ("./mine.py:plain", "decorate it with @synth.verifier"),
    ],
)
def test_a_file_that_does_not_hold_the_plugin_is_refused(recipe_folder: Path, name: str, said: str):
    with pytest.raises(PluginError, match=said):
        find("verifiers", name, folder=recipe_folder)


@pytest.mark.parametrize("code", ["1 / 0", "import nowhere_at_all", "raise SystemExit", "a b"])
def test_a_file_that_breaks_is_named_each_time(tmp_path: Path, code: str):
    (tmp_path / "mine.py").write_text(code)

    for _ in range(2):
        with pytest.raises(PluginError, match=r"'mine\.py' does not load: \w+"):
            find("verifiers", "./mine.py:polite", folder=tmp_path)
