"""The folder of a run: whose it is, what it keeps, and who may write into it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from synth.errors import RunError, StorageError
from synth.run.folder import RunFolder, write_whole
from synth.run.plan import plan
from tests.run.conftest import Project, answer

HOLDING = """
import sys
from pathlib import Path
from synth.run.folder import RunFolder
folder = RunFolder(Path(sys.argv[1]))
folder.lock()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_second_run_in_a_folder_is_refused_while_the_first_lives(tmp_path: Path) -> None:
    into = tmp_path / "run"
    command = [sys.executable, "-c", HOLDING, str(into)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"held\n"

        with pytest.raises(RunError, match=rf"at work in .*run' \(process {first.pid}\)"):
            RunFolder(into).lock()

        first.kill()
        first.wait()

    folder = RunFolder(into)
    folder.lock()
    folder.unlock()


def test_a_folder_may_be_locked_again_when_it_was_let_go(tmp_path: Path) -> None:
    for _ in range(2):
        folder = RunFolder(tmp_path / "run")
        folder.lock()
        folder.unlock()


def test_a_folder_with_other_things_in_it_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(RunError, match="not empty and no run folder"):
        RunFolder(tmp_path).lock()

    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("left", [[], ["lock"], ["lock", "synth-run.json.part"]])
def test_what_a_run_leaves_that_is_killed_as_it_begins_is_taken_over(
    tmp_path: Path, left: list[str]
) -> None:
    for name in left:
        (tmp_path / name).write_text("")

    folder = RunFolder(tmp_path)
    folder.lock()
    folder.unlock()

    assert RunFolder.of(tmp_path).finished() == ""


@pytest.mark.parametrize("into", ["/proc/run", "/dev/null", "/dev/null/run"])
def test_a_place_that_cannot_be_a_folder_is_named(into: str) -> None:
    with pytest.raises(StorageError, match=f"cannot write into '{into}'"):
        RunFolder(Path(into)).lock()


def test_a_folder_without_a_run_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run folder"):
        RunFolder.of(tmp_path)


def test_the_key_of_the_last_complete_run_is_known_to_the_next(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.lock()
    folder.finish("k1")
    folder.unlock()

    folder.lock()
    folder.unlock()

    assert folder.finished() == "k1"
    (tmp_path / "synth-run.json").write_text("")
    assert folder.finished() == ""


def test_a_small_file_is_written_whole_or_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "file"
    write_whole(file, "before")

    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "after \ud800")

    assert file.read_text() == "before"


def test_the_frozen_recipe_is_the_one_that_ran(project: Project) -> None:
    project.write([{"respond": {"engine": "teacher"}}])
    folder = RunFolder(project.folder / "run")
    folder.lock()
    (folder.path / "recipe").mkdir()
    (folder.path / "recipe" / "stale.prompt.jinja").write_text("old")

    folder.freeze(plan(project.folder / "recipe.yaml", changes={"export.sft.test_fraction": "0.5"}))
    folder.unlock()

    frozen = folder.path / "recipe"
    assert [file.name for file in frozen.iterdir()] == ["recipe.yaml"]
    assert "test_fraction: 0.5" in (frozen / "recipe.yaml").read_text()


def test_a_recipe_without_changes_is_frozen_as_it_was_written(project: Project) -> None:
    project.write([{"respond": {"engine": "teacher"}}])
    source = project.folder / "recipe.yaml"
    source.write_text("# why we do this\n" + source.read_text())

    project.run(answer)

    assert (project.folder / "run/recipe/recipe.yaml").read_text() == source.read_text()


def test_the_environment_is_kept_without_host_or_user(project: Project) -> None:
    project.write([{"respond": {"engine": "teacher"}}])

    project.run(answer)

    kept = (project.folder / "run" / "environment.json").read_text()
    assert set(json.loads(kept)) >= {"synth", "python", "packages"}
    assert not re.search(rf"\b{re.escape(os.uname().nodename)}\b", kept)
    assert str(project.folder) not in kept
