"""Whether the engine is kept busy: neither slow replies nor burning verifiers hold up requests.

    python benchmarks/in_flight.py [--rows 3000] [--at-once 64]

A mock server (100 ms latency) counts how many requests it holds. `synth run` is run:

  slow     1 % of the replies take 60 × as long; the mean number in flight, from the first
           request to the last one sent, should be at least 95 % of `at_once`
  plain    all replies alike: how long sending all requests takes
  burning  the same with a verifier that burns 50 ms CPU a record: sending should take no longer
  pool     Self-Instruct, whose prompts are drawn from what it made so far, with log-normal
           latencies around one second: again at least 95 %, and the same pool in two runs
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

_WHAT = "Whether slow replies or burning verifiers hold up requests."
_HERE = Path(__file__).resolve().parent
_RECIPE = """
name: busy
seeds: {{count: {rows}}}
engines:
  teacher: {{http: {{url: "{url}", model: mock, at_once: {at_once}}}}}
stages:
  - respond: {{engine: teacher, prompt: ask.jinja, sampling: {{max_tokens: 64}}}}
  - verify: {{verifiers: [{verifier}]}}
"""
_POOL = """
name: pool
seeds: [general_tasks]
engines:
  teacher: {{http: {{url: "{url}", model: mock, at_once: {at_once}}}}}
stages:
  - self_instruct:
      engine: teacher
      num_instructions_to_generate: {rows}
      max_instances_to_generate: 0
"""
_BURNING = '''
import time
from synth import Record, verifier


@verifier
def burning(record: Record) -> bool:
    """Pass after 50 ms of CPU."""
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    return True
'''


class _Server:
    """A mock server in a process of its own."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, str(_HERE / "mock_server.py"), "--port", "0", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.port = json.loads(self.process.stdout.readline())["port"]

    def stats(self) -> dict[str, float]:
        """Return what it counted."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/stats") as response:
            return json.load(response)


def _measured(name: str, recipe: str, at_once: int, *options: str) -> bytes:
    """Run a recipe against a server with these options; return its last stage file."""
    server = _Server(*options)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        url = f"http://127.0.0.1:{server.port}/v1"
        (folder / "recipe.yaml").write_text(recipe.replace("{url}", url))
        (folder / "ask.jinja").write_text("Tell me something new.\n")
        (folder / "burning.py").write_text(_BURNING)
        started = time.perf_counter()
        command = [sys.executable, "-m", "synth.cli", "run", "recipe.yaml", "--into", "run"]
        try:
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
            stats = server.stats()
        finally:
            server.process.terminate()
            server.process.wait()
        last = max((folder / "run" / "stages").glob("*.parquet")).read_bytes()
    mean = stats["mean_in_flight_until_last"]
    print(
        f"{name:8} {mean:6.1f} of {at_once} in flight on average ({mean / at_once:.1%}), "
        f"requests sent in {stats['seconds_until_last']:.1f} s, "
        f"run ended after {time.perf_counter() - started:.1f} s",
        flush=True,
    )
    return last


def main() -> None:
    """Read the command line and measure."""
    parser = argparse.ArgumentParser(description=_WHAT)
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--at-once", type=int, default=64)
    given = parser.parse_args()

    def recipe(text: str, rows: int, verifier: str = "{length: {min_words: 1}}") -> str:
        return text.format(url="{url}", rows=rows, at_once=given.at_once, verifier=verifier)

    quick = ("--latency-ms", "100")
    slow = (*quick, "--slow-share", "0.01", "--slow-factor", "60", "--seed", "1")
    few = min(given.rows, 1000)
    _measured("slow", recipe(_RECIPE, given.rows), given.at_once, *slow)
    _measured("plain", recipe(_RECIPE, given.rows), given.at_once, *quick)
    _measured("plain", recipe(_RECIPE, few), given.at_once, *quick)
    _measured("burning", recipe(_RECIPE, few, "./burning.py:burning"), given.at_once, *quick)
    model = ("--latency-ms", "1000", "--sigma", "0.6", "--sentences", "2")
    pools = [
        _measured("pool", recipe(_POOL, few), given.at_once, *model, "--seed", seed)
        for seed in ("1", "2")
    ]
    print(f"pool     the same in both runs: {pools[0] == pools[1]}")


if __name__ == "__main__":
    main()
