"""The level `container`, with what stands in for docker (see docker_stand_in.py)."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from synth.errors import SandboxUnavailable
from synth.sandbox import Call, Sandbox, calling, checking
from synth.sandbox.launch import Level
from synth.sandbox.levels import Pool

STAND_IN = Path(__file__).with_name("docker_stand_in.py")


class InAContainer(Pool):
    def _allowed(self) -> list[Level]:
        return ["container"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(STAND_IN, tmp_path)
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\nexec {sys.executable} {tmp_path}/{STAND_IN.name} "$@"\n')
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path


@pytest.fixture
def pool(folder: Path) -> Iterator[Pool]:
    made = InAContainer(Sandbox(image="here:1", cpu_s=1))
    yield made
    made.close()


def test_code_is_called_and_checked_in_a_container(pool: Pool):
    called = calling.call(pool, "def f(x):\n    return x * x", "f", [Call([3])])
    given = checking.Given("def f(x):\n    return x * x", "assert f(3) == 9\nassert f(2) == 5")
    checked = checking.check(pool, given)

    assert called.isolation == checked.isolation == "container"
    assert called.results[0].value == 9
    assert [result.outcome for result in checked.results] == ["pass", "fail"]
    assert checked.integrity == "strong"


@pytest.mark.parametrize(
    "escape",
    ["import os; os.fork()", "import socket; socket.socket()", "open('/usr/here', 'w')"],
)
def test_a_program_is_kept_in(pool: Pool, escape: str):
    [result] = calling.run(pool, escape, "").results

    assert result.outcome == "error"
    assert "Error" in result.message


def test_an_endless_loop_ends(pool: Pool):
    [result] = calling.run(pool, "while True: pass", "").results

    assert result.outcome == "timeout"


def test_scratch_is_empty_again_for_the_next_program(pool: Pool):
    calling.run(pool, "import os; os.mkdir('left'); open('left/over', 'w').close()", "")

    ran = calling.run(pool, "import os; print(os.getcwd(), os.listdir())", "")

    assert ran.stdout == "/scratch []\n"


def test_an_image_that_is_not_there_is_never_pulled(folder: Path):
    with pytest.raises(
        SandboxUnavailable, match=r"No such image: other:1 \(`.*docker pull other:1`"
    ):
        assert InAContainer(Sandbox(image="other:1")).level


def test_what_the_engine_says_is_told(folder: Path):
    (folder / "broken").touch()

    with pytest.raises(SandboxUnavailable, match="container: docker: Error response from daemon"):
        assert InAContainer(Sandbox(image="here:1")).level


def test_packages_of_the_host_are_not_in_an_image(folder: Path):
    needs = Sandbox(image="here:1", environment=Path(sys.prefix))

    with pytest.raises(SandboxUnavailable, match="the packages of its image"):
        assert InAContainer(needs).level
