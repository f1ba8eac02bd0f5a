"""IFD against the published formulas, computed one pair at a time with transformers."""
# torch and transformers are not installed where types are checked.
# pyright: reportMissingImports=false

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from synth import Message, Record, Verdict
from synth.engine.hf import HfEngine
from synth.plugins import find
from tests.running import services

pytestmark = [
    pytest.mark.vllm,
    # torch and transformers warn of much that is theirs.
    pytest.mark.filterwarnings("default"),
]

tiny: Any = import_module("tests.engine.tiny_models") if find_spec("torch") else None

ROOT = Path(__file__).parents[2]
LONG = "The list goes on with one more thing that nobody asked for, and then another. "
PAIRS = {
    "plain": ("Name the capital of France.", "The capital of France is Paris."),
    "a repeated answer": ("Say yes yes yes.", "yes yes yes"),
    "an answer that the prompt holds": ("Repeat: blue skies", "blue skies"),
    "a leading space": ("What is 2 + 2?", " 4, of course."),
    "a leading line break": ("Write a poem.", "\nRoses are red,\nviolets are blue."),
    "characters of several bytes": ("Übersetze: naïve 🙂", "Das heißt „naiv“ 🙂🙂."),
    "nothing to do with it": ("Name a fruit.", "static void main(String[] args) { return; }"),
    "an answer that is too long": ("Make a list.", LONG * 100),
    "a prompt that is too long": (LONG * 100, "Fine."),
    "a prompt that leaves little room": (LONG * 29, LONG * 20),
    "one token": ("Yes or no?", "Yes"),
    "nothing": ("Say nothing.", ""),
}
STRADDLED = {
    "two leading spaces": ("What is 2 + 2?", "  4, of course."),
    "two more line breaks": ("What is 2 + 2?", "\n\n4, of course."),
}
"""The model's tokenizer merges these spaces with the line break that ends the prompt."""


class Losses(NamedTuple):
    """What a text's tokens cost, from a place on."""

    values: list[float]
    start: int


class Reference:
    """The published computation: no batch, no cache, a loss for each token of a whole text."""

    def __init__(self, folder: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self._torch = torch
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.network = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()

    def losses(self, text: str, answer: str, limit: int) -> Losses:
        """Return the losses of the tokens after as many as the text before the answer has alone."""
        tokens = self.tokenizer.encode(text)[: max(limit, 0)]
        start = len(self.tokenizer.encode(text[: text.rfind(answer)]))
        return self.losses_from(start, tokens)

    def losses_from(self, start: int, tokens: list[int]) -> Losses:
        """Return the losses of the tokens from a place on."""
        if len(tokens) < 2:
            return Losses([], start)
        with self._torch.no_grad():
            scores = self.network(self._torch.tensor([tokens])).logits[0].log_softmax(-1)
        every = [-scores[place, token].item() for place, token in enumerate(tokens[1:])]
        return Losses(every[max(start - 1, 0) :], start)

    def cherry(self, prompt: str, answer: str) -> float | None:
        """Return the ratio of mean losses, None where the published script leaves a pair out."""
        length = min(len(self.tokenizer.encode(prompt)), 512)
        if not answer or length >= 512:
            return None
        alone = self.losses(f"### Response:{answer}", answer, 512 - length + 4)
        after = self.losses(prompt + answer, answer, 512)
        if not alone.values or not after.values or length + len(alone.values) > 512:
            return None
        return mean(after.values) / mean(alone.values)

    def superfiltering(self, prompt: str, answer: str) -> float | None:
        """Return the ratio of perplexities, None where the published script has NaN."""
        length = min(len(self.tokenizer.encode(prompt)), 1024)
        alone = self.losses(answer, answer, 1024 - length + 1)
        after = self.losses(prompt + answer, answer, 1024)
        if not answer or not alone.values or not after.values:
            return None
        return math.exp(mean(after.values)) / math.exp(mean(alone.values))


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


@pytest.fixture(scope="module")
def model() -> Path:
    cache = Path(os.environ.get("SYNTH_TEST_CACHE") or ROOT / ".cache" / "smollm2")
    folder = cache / "SmolLM2-135M-Instruct"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        script = ROOT / "tests" / "engine" / "smollm2.py"
        subprocess.run([sys.executable, script, folder], check=True, timeout=600)
    return folder


@pytest.fixture(scope="module")
def reference(model: Path) -> Reference:
    return Reference(model)


def talk(*said: str) -> list[Message]:
    """Return a conversation in which user and assistant take turns."""
    return [
        Message(role=("user", "assistant")[place % 2], content=text)
        for place, text in enumerate(said)
    ]


async def judged(
    folder: Path, model: Path, talks: Sequence[list[Message]], **options: Any
) -> list[Verdict]:
    engine = HfEngine(model=str(model))
    records = [Record.seed({}, one, number=number) for number, one in enumerate(talks)]
    ifd = find("verifiers", "ifd").cls(engine="small", **options)
    async with services(folder, engines={"small": engine}) as asked:
        verdicts = await ifd.judge(records, asked)
    await engine.close()
    return verdicts


@pytest.mark.parametrize(
    ("preset", "prompt"),
    [("cherry", "{}\n\n### Response:"), ("superfiltering", "{}\n")],
)
async def test_a_preset_gives_what_was_published(
    preset: str, prompt: str, model: Path, reference: Reference, tmp_path: Path
):
    wanted = {
        name: getattr(reference, preset)(prompt.format(asked), said)
        for name, (asked, said) in PAIRS.items()
    }

    verdicts = await judged(
        tmp_path, model, [talk(*pair) for pair in PAIRS.values()], preset=preset
    )

    given = {name: verdict.score for name, verdict in zip(PAIRS, verdicts, strict=True)}
    expected = {name: value and pytest.approx(value, abs=1e-3) for name, value in wanted.items()}
    assert given == expected
    assert {name for name, value in given.items() if value is None} >= {
        "nothing",
        "a prompt that is too long",
    }
    kept = {name for name, value in wanted.items() if value is not None and value < 1}
    passed = {name for name, one in zip(PAIRS, verdicts, strict=True) if one.outcome == "pass"}
    assert passed == kept


@pytest.mark.parametrize("case", STRADDLED)
async def test_a_token_over_the_border_counts_where_the_published_span_is_shifted(
    case: str, model: Path, reference: Reference, tmp_path: Path
):
    asked, said = STRADDLED[case]

    [verdict] = await judged(tmp_path, model, [talk(asked, said)])

    tokens = reference.tokenizer.encode(f"{asked}\n{said}")
    shown = [reference.tokenizer.decode(tokens[: n + 1]) for n in range(len(tokens))]
    whole = [text for text in shown if f"{asked}\n".startswith(text)]
    after = reference.losses_from(len(whole), tokens)
    alone = reference.losses(said, said, 1024)
    published = reference.losses(f"{asked}\n{said}", said, 1024)
    assert len(published.values) < len(after.values)
    wanted = math.exp(mean(after.values) - mean(alone.values))
    assert verdict.score == pytest.approx(wanted, abs=1e-3)


@pytest.mark.parametrize(("preset", "outcome"), [("cherry", "pass"), ("superfiltering", "fail")])
async def test_a_ratio_of_exactly_one_is_where_the_two_differ(
    preset: str, outcome: str, tmp_path: Path
):
    uniform = tiny.llama(tmp_path / "model", tiny.tokenizer(), uniform=True)

    [verdict] = await judged(tmp_path, uniform, [talk("Why?", "Because it is.")], preset=preset)

    assert verdict.score == 1.0
    assert verdict.outcome == outcome


async def test_a_tokenizer_that_merges_at_the_border_shifts_nothing(tmp_path: Path):
    merging = tiny.tokenizer("\u010a\u010a")  # how byte-level vocabularies write two line breaks
    folder = tiny.llama(tmp_path / "model", merging)
    options = {"preset": "superfiltering", "max_length": 0}

    [verdict] = await judged(tmp_path, folder, [talk("Why?", "\n\nIt is.")], **options)

    # "Why?\n" and "\n\nIt is." are read as Why?, two line breaks (which straddle), one, It is.
    tokens = merging.encode("Why?\n\n\nIt is.")
    after = tiny.likely(folder, tokens)[3:]
    alone = tiny.likely(folder, merging.encode("\n\nIt is."))
    assert len(merging.encode("Why?\n")) == 5
    assert verdict.score == pytest.approx(math.exp(mean(alone) - mean(after)), abs=1e-3)
    assert verdict.evidence is not None
    assert verdict.evidence["turns"][0]["tokens"] == len(after) == len(tokens) - 4


async def test_turns_are_judged_after_what_was_said_before(
    model: Path, reference: Reference, tmp_path: Path
):
    said = talk("Name a colour.", "Blue.", "And a warmer one?", "Orange, for instance.")

    [both] = await judged(tmp_path, model, [said])
    [last] = await judged(tmp_path, model, [said], turns="last")

    first = reference.superfiltering("Name a colour.\n", "Blue.")
    second = reference.superfiltering(
        "Name a colour.\nBlue.\n\nAnd a warmer one?\n", "Orange, for instance."
    )
    assert first is not None
    assert second is not None
    assert last.score == pytest.approx(second, abs=1e-3)
    assert both.score == pytest.approx((first + second) / 2, abs=1e-3)


async def test_the_models_own_template_writes_prompt_and_header(
    model: Path, reference: Reference, tmp_path: Path
):
    said = talk("Name a colour.", "Blue, as the sky.")

    [verdict] = await judged(tmp_path, model, [said], chat_template=True, preset="cherry")

    written = reference.tokenizer.apply_chat_template(
        said[:1], tokenize=False, add_generation_prompt=True
    )
    after = reference.losses(written + "Blue, as the sky.", "Blue, as the sky.", 512)
    header = "<|im_start|>assistant\n"
    alone = reference.losses(header + "Blue, as the sky.", "Blue, as the sky.", 512)
    assert verdict.score == pytest.approx(mean(after.values) / mean(alone.values), abs=1e-3)


async def test_reversed_the_instruction_is_judged_after_the_answer(
    model: Path, reference: Reference, tmp_path: Path
):
    (tmp_path / "back.jinja").write_text("{{ reply }} - asked:")

    [verdict] = await judged(
        tmp_path,
        model,
        [talk("Name the capital of France.", "It is Paris.")],
        reverse=True,
        prompt=tmp_path / "back.jinja",
    )

    wanted = reference.superfiltering("It is Paris. - asked:", "Name the capital of France.")
    assert verdict.score == pytest.approx(wanted, abs=1e-3)
