"""What a change makes anew, and what it leaves as it is."""

# pyright: reportPrivateUsage=false

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from synth.engine.http import HttpEngine
from synth.engine.scripted import ScriptedEngine
from synth.run.plan import plan
from tests.run.conftest import Project, answer

PROMPT = "--- user\n{{ instruction }}\n"


class Watched:
    """A project that ran once, and what later runs make anew."""

    def __init__(self, project: Project) -> None:
        self.project = project

    def write(self, *more: Any, **options: Any) -> None:
        """Write the recipe, with other options of the logged verifier and more stages."""
        logged = {"log": "judged.log", "rules": "rules.txt", **options}
        first: dict[str, Any] = {"engine": "teacher", "prompt": "ask.jinja"}
        verify = {"verifiers": ["repetition", {"./odd_verifiers.py:Logged": logged}]}
        self.project.write([{"respond": first}, {"verify": verify}, *more])

    def again(self, **engine: Any) -> dict[str, Any]:
        """Run it; return calls, records judged by the logged verifier, and what stayed."""
        asked: list[object] = []
        before, made = self._judged(), self._files()
        model = ScriptedEngine(lambda *call: asked.append(call) or answer(*call), **engine)
        self.project.run(model)
        kept = [name for name, at in self._files().items() if made.get(name) == at]
        return {"calls": len(asked), "judged": self._judged() - before, "kept": sorted(kept)}

    def _judged(self) -> int:
        log = self.project.folder / "judged.log"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def _files(self) -> dict[str, int]:
        run = self.project.folder / "run"
        if not run.exists():
            return {}
        files = [*(run / "stages").iterdir(), run / "dataset.duckdb", *(run / "export").iterdir()]
        return {file.name: file.stat().st_mtime_ns for file in files if file.is_file()}


@pytest.fixture(scope="module")
def ran_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a project that ran; each test works on a copy."""
    folder = tmp_path_factory.mktemp("recipe")
    (folder / "ask.jinja").write_text(PROMPT)
    (folder / "rules.txt").write_text("be kind\n")
    watched = Watched(Project(folder))
    watched.write()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # that is where the log goes
        watched.again()
    return folder


@pytest.fixture
def watched(ran_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    copied = shutil.copytree(ran_once, tmp_path / "copied")
    monkeypatch.chdir(copied)
    return Watched(Project(copied))


def stages(kept: list[str]) -> list[str]:
    return [name for name in kept if name.endswith(".parquet")]


def test_the_same_again_makes_nothing_anew(watched: Watched) -> None:
    again = watched.again()

    assert (again["calls"], again["judged"]) == (0, 0)
    assert again["kept"] == sorted(watched._files())


def test_a_knob_makes_nothing_anew(watched: Watched) -> None:
    again = watched.again(at_once=3, timeout_s=5, tries=1)

    assert (again["calls"], again["judged"]) == (0, 0)
    assert "dataset.duckdb" in again["kept"]


def test_another_model_asks_everything_anew(watched: Watched) -> None:
    again = watched.again(model="another")

    assert again["calls"] == 4
    assert stages(again["kept"]) == ["00-seeds.parquet"]
    # The replies were the same, and so the verdicts hold.
    assert again["judged"] == 0


def test_another_prompt_asks_everything_anew(watched: Watched) -> None:
    (watched.project.folder / "ask.jinja").write_text(PROMPT + "Be brief.\n")

    again = watched.again()

    assert (again["calls"], again["judged"]) == (4, 4)
    assert stages(again["kept"]) == ["00-seeds.parquet"]


@pytest.mark.parametrize("change", ["option", "rules", "version"])
def test_another_verifier_option_file_or_version_judges_anew_and_asks_nothing(
    watched: Watched, change: str
) -> None:
    folder = watched.project.folder
    if change == "option":
        watched.write(threshold=7)
    elif change == "rules":
        (folder / "rules.txt").write_text("be kinder\n")
    else:
        source = (folder / "odd_verifiers.py").read_text()
        later = source.replace('version: ClassVar[str] = "1"', 'version: ClassVar[str] = "2"')
        assert later != source
        (folder / "odd_verifiers.py").write_text(later)

    again = watched.again()

    assert (again["calls"], again["judged"]) == (0, 4)
    assert stages(again["kept"]) == ["00-seeds.parquet", "01-respond.parquet"]


def test_a_stage_more_at_the_end_keeps_those_before(watched: Watched) -> None:
    watched.write("./odd_stages.py:Echo")

    again = watched.again()

    assert (again["calls"], again["judged"]) == (0, 0)
    assert stages(again["kept"]) == [
        "00-seeds.parquet",
        "01-respond.parquet",
        "02-verify.parquet",
    ]


def test_another_url_or_number_of_requests_changes_no_key(project: Project) -> None:
    project.write([{"respond": {"engine": "teacher"}}])

    def keys(**options: Any) -> list[str]:
        given = {"url": "http://127.0.0.1:1/v1", "model": "m", **options}
        engine = HttpEngine.model_validate(given)
        return plan(project.folder / "recipe.yaml", engines={"teacher": engine}).keys(None)

    assert keys() == keys(url="http://127.0.0.1:2/v1") == keys(at_once=3)
    assert keys() != keys(model="n")
    assert keys()[0] == keys(model="n")[0]


def test_a_recipe_at_another_place_has_the_same_keys(watched: Watched, ran_once: Path) -> None:
    here, there = watched.project, Project(ran_once)

    assert here.plan(answer).keys(None) == there.plan(answer).keys(None)
