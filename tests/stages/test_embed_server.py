"""The stage `embed` in a whole run, its vectors from a real server that speaks /embeddings."""
# pyarrow publishes no types.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.running import command, write_recipe

ASKED = ["a lake", "a river", "a lake", "too long", "short vector", "nothing"]
RECIPE = """
name: embedded
seeds: [seeds.jsonl]
engines:
  encoder: {{http: {{model: m, url: "{url}"}}}}
stages:
  - embed: {{engine: encoder}}
  - verify:
      verifiers: [{{semantic_duplicates: {{vectors: embedding, threshold: 0.9}}}}]
max_error_rate: 0.5
"""


def vector(text: str) -> list[float]:
    return [byte / 255 - 0.5 for byte in sha256(text.encode()).digest()]


@dataclass
class Encoder:
    """A server that embeds most texts, and which ones it was asked for."""

    url: str = ""
    asked: list[str] = field(default_factory=list[str])
    refuses: str = "too long"

    def answer(self, text: str) -> tuple[int, Any]:
        """Return status and body."""
        self.asked.append(text)
        if text == self.refuses:
            return 400, {"error": {"message": "at most 5 letters"}}
        odd = {"short vector": [1.0, 2.0], "nothing": [0.0] * 32}
        return 200, {"data": [{"index": 0, "embedding": odd.get(text, vector(text))}]}


def handling(answer: Callable[[str], tuple[int, Any]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, said = answer(asked["input"][0]) if self.path == "/v1/embeddings" else (404, {})
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


@pytest.fixture
def encoder() -> Generator[Encoder]:
    made = Encoder()
    with ThreadingHTTPServer(("127.0.0.1", 0), handling(made.answer)) as server:
        server.daemon_threads = True
        made.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        yield made
        server.shutdown()


@pytest.fixture
def recipe(encoder: Encoder, tmp_path: Path) -> Path:
    seeds = [{"instruction": text, "n": number} for number, text in enumerate(ASKED)]
    return write_recipe(tmp_path, RECIPE.format(url=encoder.url), seeds=seeds)


def run(recipe: Path) -> dict[str, str]:
    """Run it, and return what became of each text, a repeated one by how it ended last."""
    assert command("run", str(recipe), "--into", str(recipe.parent / "out")).code == 0
    rows: list[dict[str, Any]] = []
    for stage in ("01-embed", "02-verify"):
        rows += pq.read_table(recipe.parent / "out" / "stages" / f"{stage}.parquet").to_pylist()
    became = {ASKED[json.loads(row["fields"])["n"]]: row for row in rows}
    return {
        text: (row["drop_reason"] or row["judgements"][-1]["reason"] or "pass").partition(":")[0]
        for text, row in became.items()
    }


def test_vectors_of_a_server_tell_duplicates_and_failures_are_told_apart(recipe: Path):
    became = run(recipe)

    assert became == {
        "a lake": "semantic_duplicate",
        "a river": "pass",
        "too long": "refused_request",
        "short vector": "no_vector",
        "nothing": "no_vector",
    }


def test_what_was_embedded_is_not_asked_for_again(encoder: Encoder, recipe: Path):
    run(recipe)
    encoder.asked.clear()
    encoder.refuses = ""

    became = run(recipe)

    assert encoder.asked == ["too long"]
    assert became["too long"] == "pass"
