"""IFD on the CPU: the verifier on the engine `hf`, beside the authors' way on the same model.

    python benchmarks/ifd.py MODEL [--pairs 96] [--rounds 3]

MODEL is a folder with a causal model, such as tests/engine/smollm2.py writes, or a name on the Hub.
Needs `pip install 'expertsynth[hf]'`. Pairs have words of the shipped seeds and lengths like those
of Alpaca: instructions of some 20 tokens, answers of 60 in the middle and up to 500. The authors'
way: one pair after another, each text read alone by the whole model, its loss by labels; Cherry's
script also takes every token's loss in a loop of its own, which is measured as `with its loop`.
Each way runs in a process of its own, with all cores, and the best of several rounds counts; load
time does not. Exits 1 if the verifier is not three times as fast as each, without that loop, or if
a score differs by more than 0.001.
"""
# torch and transformers are not installed where types are checked.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from synth.engine.hf import HfEngine
from synth.plugins import find
from synth.record import Message, Record
from synth.services import Resources, Services

_SEEDS = Path(__file__).parents[1] / "seeds"
_WANTED = 3.0
_CLOSE = 1e-3
_PROMPTS = {"cherry": "{}\n\n### Response:", "superfiltering": "{}\n"}
_MAX_LENGTH = {"cherry": 512, "superfiltering": 1024}
_WAYS = {
    "cherry": ("verifier", "authors", "authors with its loop"),
    "superfiltering": ("verifier", "authors"),
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a way took for all pairs, and what it found."""

    seconds: float
    cpu_s: float
    peak_mb: float
    scores: tuple[float, ...]


def pairs(count: int) -> list[tuple[str, str]]:
    """Return instructions with answers, the same each time."""
    draw = random.Random(5)
    words = " ".join(file.read_text("utf-8") for file in sorted(_SEEDS.glob("*.jsonl"))).split()
    plain = [word for word in words if word.isalpha() or word.strip(".,?").isalpha()]

    def text(most: int, median: float) -> str:
        length = min(most, max(3, round(median * math.exp(draw.gauss(0, 0.8)))))
        start = draw.randrange(len(plain) - length)
        return " ".join(plain[start : start + length])

    return [(text(60, 15), text(400, 45)) for _ in range(count)]


class Authors:
    """The published computation: one text at a time, the loss by labels."""

    def __init__(self, model: str, preset: str, *, loop: bool) -> None:
        """Load the model; `loop`: take every token's loss by itself, too, as Cherry's script."""
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self._torch = torch
        self._tokenizer = AutoTokenizer.from_pretrained(model)
        self._network = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32).eval()
        self._preset = preset
        self._loop = loop

    def scores(self, asked: Sequence[tuple[str, str]]) -> list[float]:
        """Return the ratio of each pair."""
        return [self._score(_PROMPTS[self._preset].format(one), other) for one, other in asked]

    def _score(self, prompt: str, answer: str) -> float:
        longest = _MAX_LENGTH[self._preset]
        room = longest - len(self._tokenizer.encode(prompt))
        if self._preset == "cherry":
            header = "### Response:"
            return self._loss(prompt, answer, longest) / self._loss(header, answer, room + 4)
        return math.exp(self._loss(prompt, answer, longest) - self._loss("", answer, room + 1))

    def _loss(self, before: str, answer: str, longest: int) -> float:
        tokens = self._torch.tensor([self._tokenizer.encode(before + answer)[:longest]])
        labels = tokens.clone()
        labels[0, : len(self._tokenizer.encode(before)) if before else 0] = -100
        with self._torch.no_grad():
            read = self._network(
                tokens, labels=labels, output_hidden_states=self._preset == "cherry"
            )
        if self._loop:
            self._every_loss(read.logits, tokens)
        return read.loss.item()

    def _every_loss(self, scores: Any, tokens: Any) -> list[float]:
        functions = self._torch.nn.functional
        return [
            functions.nll_loss(
                functions.log_softmax(scores[0, place], dim=-1)[None], tokens[0, place + 1 :][:1]
            ).item()
            for place in range(tokens.shape[1] - 1)
        ]


def by_authors(
    model: str, preset: str, asked: Sequence[tuple[str, str]], *, loop: bool
) -> Measured:
    """Measure the authors' way."""
    authors = Authors(model, preset, loop=loop)
    authors.scores(asked[:2])
    return _timed(lambda: authors.scores(asked))


def by_verifier(model: str, preset: str, asked: Sequence[tuple[str, str]]) -> Measured:
    """Measure the verifier, given records 256 at a time as in a run."""
    loop = asyncio.new_event_loop()
    engine = HfEngine(model=model, device="cpu")
    loop.run_until_complete(engine.start())
    ifd = find("verifiers", "ifd").cls(engine="m", preset=preset)
    nobody: Any = None
    services = Services("s", engines={"m": engine}, prompts={}, judge=nobody, resources=Resources())
    records = [
        Record.seed(
            {}, [Message(role="user", content=one), Message(role="assistant", content=other)]
        )
        for one, other in asked
    ]

    def judge(some: Sequence[Record]) -> list[float]:
        verdicts = loop.run_until_complete(ifd.judge(some, services))
        return [verdict.score for verdict in verdicts]

    judge(records[:2])
    measured = _timed(
        lambda: [score for at in range(0, len(records), 256) for score in judge(records[at:][:256])]
    )
    loop.run_until_complete(engine.close())
    return measured


def _timed(work: Callable[[], Sequence[float]]) -> Measured:
    started, cpu = time.perf_counter(), time.process_time()
    scores = tuple(work())
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Measured(seconds, cpu, peak_mb, scores)


def measured(model: str, preset: str, way: str, count: int) -> Measured:
    """Return what a way took, in a process of its own."""
    command = [sys.executable, __file__, model, "--pairs", str(count), "--preset", preset]
    ended = subprocess.run([*command, "--way", way], stdout=subprocess.PIPE, text=True, check=True)
    return Measured(**json.loads(ended.stdout.splitlines()[-1]))


def report(model: str, preset: str, count: int, rounds: int) -> bool:
    """Print what each way took; return whether the verifier keeps its promise."""
    found: dict[str, list[Measured]] = {way: [] for way in _WAYS[preset]}
    for _ in range(rounds):
        for way, so_far in found.items():
            so_far.append(measured(model, preset, way, count))
    best = {way: min(them, key=lambda one: one.seconds) for way, them in found.items()}
    print(f"\n{preset}, {count} pairs")
    for way, one in best.items():
        ratio = one.seconds / best["verifier"].seconds
        cpu = 1000 * one.cpu_s / count
        print(
            f"  {way:22} {count / one.seconds:7.2f} pairs/s  {cpu:6.0f} ms CPU a pair"
            f"  {one.peak_mb:6.0f} MB  {ratio:5.2f} ×"
        )
    return _kept(best)


def _kept(best: Mapping[str, Measured]) -> bool:
    ours, theirs = best["verifier"], best["authors"]
    ratio = theirs.seconds / ours.seconds
    apart = max(abs(a - b) for a, b in zip(ours.scores, theirs.scores, strict=True))
    print(f"  {ratio:.2f} × as fast (asked for: {_WANTED:g}); scores differ by {apart:.1e} at most")
    return ratio >= _WANTED and apart <= _CLOSE


def main() -> int:
    """Measure both presets, or one way of one as a child process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--pairs", type=int, default=96)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--preset", choices=list(_PROMPTS))
    parser.add_argument("--way", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.way is None:
        presets = [given.preset] if given.preset else list(_PROMPTS)
        kept = [report(given.model, one, given.pairs, given.rounds) for one in presets]
        return 0 if all(kept) else 1
    asked = pairs(given.pairs)
    if given.way == "verifier":
        took = by_verifier(given.model, given.preset, asked)
    else:
        took = by_authors(given.model, given.preset, asked, loop="loop" in given.way)
    print(json.dumps(asdict(took)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
