"""What of the vLLM engine needs no vLLM: options, identity, thinking told apart."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
from pydantic import JsonValue

from synth.engine.base import Chat, Origin, Sampling
from synth.engine.thinking import without_thinking
from synth.engine.vllm import VllmEngine
from synth.errors import EngineRefused, InputError
from synth.frozen import validated


def identity(**engine_args: JsonValue) -> str:
    return VllmEngine(model="org/name", engine_args=engine_args).identity.canonical()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("tensor_parallel_size", 8),
        ("gpu_memory_utilization", 0.9),
        ("max_num_seqs", 512),
        ("enforce_eager", True),
        ("hf_token", "secret"),
    ],
)
def test_how_vllm_runs_is_no_part_of_the_identity(name: str, value: JsonValue):
    assert identity(**{name: value}) == identity()


@pytest.mark.parametrize(
    ("name", "value"), [("max_model_len", 512), ("dtype", "float32"), ("quantization", "fp8")]
)
def test_what_vllm_computes_is_part_of_the_identity(name: str, value: JsonValue):
    assert identity(**{name: value}) != identity()


def test_a_model_folder_is_known_by_its_content_not_its_place(tmp_path: Path):
    for place in ("here", "there"):
        (tmp_path / place / "tiny").mkdir(parents=True)
        (tmp_path / place / "tiny" / "model.safetensors").write_bytes(b"weights")
        (tmp_path / place / "tiny" / ".cache").write_text(place)

    here = validated(VllmEngine, {"model": "./tiny"}, folder=tmp_path / "here").identity
    there = validated(VllmEngine, {"model": "tiny"}, folder=tmp_path / "there").identity
    (tmp_path / "there" / "tiny" / "model.safetensors").write_bytes(b"Weights")
    changed = validated(VllmEngine, {"model": "tiny"}, folder=tmp_path / "there").identity

    assert here == there
    assert changed != there
    assert str(tmp_path) not in here.canonical()


def test_a_chat_template_is_known_by_its_content(tmp_path: Path):
    (tmp_path / "one.jinja").write_text("{{ messages }}")
    (tmp_path / "two.jinja").write_text("{{ messages[0] }}")
    options = {"model": "org/name"}

    plain = validated(VllmEngine, options, folder=tmp_path).identity
    one = validated(VllmEngine, {**options, "chat_template": "one.jinja"}, folder=tmp_path).identity
    two = validated(VllmEngine, {**options, "chat_template": "two.jinja"}, folder=tmp_path).identity

    assert len({plain, one, two}) == 3


def test_a_folder_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ValueError, match=r"no folder './tiny' beside the recipe"):
        validated(VllmEngine, {"model": "./tiny"}, folder=tmp_path)


def test_an_option_of_the_engine_is_no_engine_argument():
    with pytest.raises(ValueError, match="'revision' is an option of the engine"):
        VllmEngine(model="org/name", engine_args={"revision": "main"})


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed")
async def test_missing_vllm_is_told_with_the_way_to_install_it():
    with pytest.raises(InputError, match=r"pip install 'expertsynth\[vllm\]'"):
        await VllmEngine(model="org/name").start()


async def test_an_engine_that_was_not_started_says_so():
    engine = VllmEngine(model="org/name")

    with pytest.raises(EngineRefused, match="before it was started"):
        await engine.complete(Chat(()), Sampling(), Origin("record", "respond"))


@pytest.mark.parametrize(
    ("text", "begun", "answer", "reasoning"),
    [
        ("Paris.", False, "Paris.", None),
        ("<think>\nFrance?\n</think>\n\nParis.", False, "Paris.", "France?"),
        ("\n<think>France?</think>Paris.", False, "Paris.", "France?"),
        ("France?</think>Paris.", True, "Paris.", "France?"),
        ("<think>France?</think>Paris.", True, "Paris.", "France?"),
        ("<think></think> Paris.", False, "Paris.", None),
        ("<think>France, hm", False, "", "France, hm"),
        ("France, hm", True, "", "France, hm"),
        ("Say <think> aloud</think>.", False, "Say <think> aloud</think>.", None),
        ("", False, "", None),
    ],
)
def test_thinking_is_told_apart(text: str, begun: bool, answer: str, reasoning: str | None):
    assert without_thinking(text, begun=begun) == (answer, reasoning)
