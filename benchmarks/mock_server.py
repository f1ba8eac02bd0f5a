"""An OpenAI-compatible server that makes up its replies, cheap enough to measure clients against.

Just as much HTTP/1.1 as such clients speak, over bare asyncio, with nothing but Python. A reply is
derived from the prompt, the seed and `max_tokens`: same question, same answer. What goes wrong is
drawn by arrival, so a second try may succeed; what is `marked` goes wrong every time.

    python benchmarks/mock_server.py --port 0 --latency-ms 50 --slow-share 0.01 --slow-factor 60

prints `{"url": …, "port": …}`. POST /v1/chat/completions and /v1/completions, GET /v1/models,
GET /stats, POST /control (a JSON object with fields of `Behaviour`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
from collections.abc import AsyncGenerator
from dataclasses import asdict, dataclass, field, replace
from hashlib import blake2b
from http import HTTPStatus
from typing import Any

_SENTENCES = tuple(
    (*subject.split(), *verb.split(), *thing.split(), *ending.split())
    for subject in ("The river", "A careful reader", "Every good proof", "The old lighthouse")
    for verb in ("changes slowly with", "depends on", "was built upon", "tells us much about")
    for thing in ("the shape of its valley", "small and honest steps", "the work of many hands")
    for ending in ("in the end.", "as we shall see.", "for most of us.", "without any doubt.")
)
FAULTS = ("400", "429", "500", "503", "garbage", "cut", "torn", "close", "hang")
"""garbage: 200 with HTML; cut: half the JSON; torn: the body breaks off; close: not a byte."""


@dataclass(slots=True)
class Behaviour:
    """How the server answers; may be changed while it runs."""

    latency_ms: float = 0.0
    """From a request's last byte to its reply."""
    sigma: float = 0.0
    """Spread of latencies: log-normal around `latency_ms`, as those of language models are."""
    slow_share: float = 0.0
    """Share of the replies that take `slow_factor` times as long."""
    slow_factor: float = 60.0
    faults: dict[str, float] = field(default_factory=dict[str, float])
    """Fault (see `FAULTS`) → share of the requests that meet it."""
    marked: dict[str, str] = field(default_factory=dict[str, str])
    """Text → fault that a request meets every time if its body contains the text."""
    retry_after_s: float = 1.0
    """What a 429 or 503 asks for."""
    dead: bool = False
    """Close the connections of all who ask for a completion, or who wait for one."""
    sentences: int = 8
    """Length of a reply; a sentence has 11 to 16 words, and a word counts as a token."""


@dataclass(slots=True)
class Stats:
    """What the server saw. A request is repeated when one with the same body came before."""

    requests: int = 0
    answered: int = 0
    """Requests that got a whole, good reply."""
    in_flight: int = 0
    max_in_flight: int = 0
    bodies: set[bytes] = field(default_factory=set[bytes])
    """Digests of all bodies."""
    first_at: float = 0.0
    changed_at: float = 0.0
    last_at: float = 0.0
    area: float = 0.0
    """Requests in flight, summed over time."""
    area_until_last: float = 0.0

    def arrived(self, body: bytes, now: float) -> None:
        """Count a request."""
        self.first_at = self.first_at or now
        self._advance(now, 1)
        self.last_at, self.area_until_last = now, self.area
        self.requests += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        self.bodies.add(blake2b(body, digest_size=8).digest())

    def left(self, now: float) -> None:
        """Count a request that is answered, or whose connection is gone."""
        self._advance(now, -1)

    def _advance(self, now: float, change: int) -> None:
        self.area += self.in_flight * (now - self.changed_at)
        self.changed_at, self.in_flight = now, self.in_flight + change


class MockServer:
    """A running server: where it listens, what it saw, how it behaves."""

    def __init__(self, behaviour: Behaviour, seed: int) -> None:
        self.behaviour = behaviour
        self.counted = Stats()
        self.transports: set[asyncio.Transport] = set()
        self.random = random.Random(seed)
        self.port, self.url = 0, ""
        self._listening: asyncio.Server | None = None

    @property
    def stats(self) -> dict[str, float]:
        """What it saw; the mean is over time, from the first arrival to the last."""
        seen, span = self.counted, self.counted.last_at - self.counted.first_at
        return {
            "requests": seen.requests,
            "answered": seen.answered,
            "in_flight": seen.in_flight,
            "max_in_flight": seen.max_in_flight,
            "mean_in_flight_until_last": round(seen.area_until_last / span, 3) if span else 0.0,
            "seconds_until_last": round(span, 3),
            "distinct": len(seen.bodies),
            "repeated": seen.requests - len(seen.bodies),
        }

    async def open(self, port: int = 0) -> None:
        """Listen on `port` of the loopback interface; 0 takes a free one."""
        listen = asyncio.get_running_loop().create_server
        self._listening = await listen(lambda: _Connection(self), "127.0.0.1", port, backlog=4096)
        self.port = self._listening.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"

    async def close(self) -> None:
        """Stop listening and break every connection, as a killed server would."""
        if self._listening is not None:
            self._listening.close()
        for transport in list(self.transports):
            transport.abort()
        await asyncio.sleep(0)

    def delay_s(self) -> float:
        """Draw how long the next reply takes."""
        how = self.behaviour
        delay_ms = how.latency_ms * self.random.lognormvariate(0.0, how.sigma)
        is_slow = self.random.random() < how.slow_share
        return delay_ms * (how.slow_factor if is_slow else 1.0) / 1000

    def fault(self, body: bytes) -> str:
        """Return what goes wrong with this request; empty if nothing does."""
        for text, fault in self.behaviour.marked.items():
            if text.encode() in body:
                return fault
        kinds, shares = list(self.behaviour.faults), list(self.behaviour.faults.values())
        weights = [*shares, 1.0 - sum(shares)]
        return self.random.choices([*kinds, ""], weights)[0] if kinds else ""


class _Connection(asyncio.Protocol):
    """One keep-alive connection: a request, its reply, the next request."""

    def __init__(self, server: MockServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self._received = b""
        self._waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the way back."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._server.transports.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a request that nobody waits for any more."""
        self._server.transports.discard(self._transport)
        self._done()

    def data_received(self, data: bytes) -> None:
        """Act on each request as soon as it is whole."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            _, _, length = head.lower().partition(b"\r\ncontent-length:")
            whole = end + 4 + int(length.split(b"\r\n", 1)[0] or 0)
            if len(self._received) < whole:
                return
            body, self._received = self._received[end + 4 : whole], self._received[whole:]
            method, path, _ = head.split(b" ", 2)
            self._asked(method + b" " + path, body)

    def _asked(self, what: bytes, body: bytes) -> None:
        if what in {b"POST /v1/chat/completions", b"POST /v1/completions"}:
            self._completion(body, chat=b"chat" in what)
        elif what == b"GET /stats":
            self._reply(200, self._server.stats)
        elif what == b"GET /v1/models":
            self._reply(200, {"object": "list", "data": [{"id": "mock", "object": "model"}]})
        elif what == b"POST /control":
            self._server.behaviour = replace(self._server.behaviour, **json.loads(body))
            self._reply(200, asdict(self._server.behaviour))
        else:
            self._reply(404, {"error": {"message": f"nothing at {what.decode()}"}})

    def _completion(self, body: bytes, *, chat: bool) -> None:
        self._server.counted.arrived(body, self._loop.time())
        self._waiting = True
        fault = "close" if self._server.behaviour.dead else self._server.fault(body)
        if fault != "hang":
            self._loop.call_later(self._server.delay_s(), self._answer, body, chat, fault)

    def _answer(self, body: bytes, chat: bool, fault: str) -> None:
        if self._transport.is_closing():
            return
        good = _completed(body, chat=chat, sentences=self._server.behaviour.sentences)
        self._done()
        if fault == "close" or self._server.behaviour.dead:
            self._transport.abort()
        elif fault.isdigit():
            self._reply(int(fault), {"error": {"message": f"made up: {fault}"}})
        elif fault == "torn":
            self._write(200, good[: len(good) // 2], promised=len(good))
            self._transport.close()
        elif fault:
            html = b"<html><body>Welcome to the proxy</body></html>"
            self._write(200, html if fault == "garbage" else good[: len(good) // 2])
        else:
            self._server.counted.answered += 1
            self._write(200, good)

    def _done(self) -> None:
        if self._waiting:
            self._waiting = False
            self._server.counted.left(self._loop.time())

    def _reply(self, status: int, value: Any) -> None:
        self._write(status, json.dumps(value).encode())

    def _write(self, status: int, body: bytes, *, promised: int | None = None) -> None:
        wait = f"Retry-After: {self._server.behaviour.retry_after_s:g}\r\n" if status >= 429 else ""
        head = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
            f"{wait}Content-Length: {len(body) if promised is None else promised}\r\n\r\n"
        )
        self._transport.write(head.encode() + body)


def _completed(body: bytes, *, chat: bool, sentences: int) -> bytes:
    asked = json.loads(body)
    prompt = json.dumps(asked.get("messages") if chat else asked.get("prompt"))
    words = _words(f"{prompt}|{asked.get('seed')}", sentences)
    limit = asked.get("max_tokens") or len(words)
    text, reason = " ".join(words[:limit]), "length" if limit < len(words) else "stop"
    place = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    used = {"prompt_tokens": len(prompt) // 4, "completion_tokens": min(limit, len(words))}
    choices = [{"index": 0, "finish_reason": reason, **place}]
    reply = {"id": "mock", "model": asked.get("model"), "choices": choices, "usage": used}
    return json.dumps(reply).encode()


def _words(asked: str, sentences: int) -> list[str]:
    drawn = blake2b(asked.encode(), digest_size=8).digest()
    first, step = int.from_bytes(drawn[:4], "big"), int.from_bytes(drawn[4:], "big") | 1
    said = (_SENTENCES[(first + n * step) % len(_SENTENCES)] for n in range(sentences))
    return [word for sentence in said for word in sentence]


@contextlib.asynccontextmanager
async def mock_server(
    *, port: int = 0, seed: int = 1, **behaviour: Any
) -> AsyncGenerator[MockServer, None]:
    """Run a server in this event loop; `behaviour` are fields of `Behaviour`."""
    server = MockServer(Behaviour(**behaviour), seed)
    await server.open(port)
    try:
        yield server
    finally:
        await server.close()


async def _serve(**options: Any) -> None:
    async with mock_server(**options) as server:
        print(json.dumps({"url": server.url, "port": server.port}), flush=True)
        await asyncio.Event().wait()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve made-up completions.")
    for name in ("port", "seed", "sentences"):
        parser.add_argument(f"--{name}", type=int, default=argparse.SUPPRESS)
    for name in ("latency-ms", "sigma", "slow-share", "slow-factor", "retry-after-s"):
        parser.add_argument(f"--{name}", type=float, default=argparse.SUPPRESS)
    parser.add_argument("--fault", action="append", default=[], metavar="KIND=SHARE")
    given = vars(parser.parse_args())
    faults = dict(fault.split("=") for fault in given.pop("fault"))
    given["faults"] = {kind: float(share) for kind, share in faults.items()}
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(**given))


if __name__ == "__main__":
    main()
