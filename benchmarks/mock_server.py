"""An OpenAI-compatible server that makes up its replies, cheap enough to measure clients against.

It speaks just the HTTP/1.1 that such clients speak, over bare asyncio, and needs nothing but
Python. A reply is derived from the prompt, the seed and `max_tokens`: the same question gets the
same answer. What goes wrong is drawn by arrival, so a second try may succeed; prompts that contain
a marked text go wrong every time.

    python benchmarks/mock_server.py --port 0 --latency-ms 50 --slow-share 0.01 --slow-factor 60

prints `{"url": …, "port": …}` on one line. POST /v1/chat/completions and /v1/completions, GET
/v1/models, GET /stats, POST /control (a JSON object with fields of `Behaviour`).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass, field
from hashlib import blake2b
from typing import Any

_SENTENCES = tuple(
    (*subject.split(), *verb.split(), *thing.split(), *ending.split())
    for subject in ("The river", "A careful reader", "Every good proof", "The old lighthouse")
    for verb in ("changes slowly with", "depends on", "was built upon", "tells us much about")
    for thing in ("the shape of its valley", "small and honest steps", "the work of many hands")
    for ending in ("in the end.", "as we shall see.", "for most of us.", "without any doubt.")
)
_PHRASES = {
    200: "OK",
    400: "Bad Request",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}
FAULTS = ("400", "429", "500", "503", "garbage", "cut", "torn", "close", "hang")
"""garbage: 200 with HTML; cut: half the JSON; torn: the body breaks off; close: not a byte."""


@dataclass(slots=True)
class Behaviour:
    """How the server answers; may be changed while it runs."""

    latency_ms: float = 0.0
    """From a request's last byte to its reply."""
    jitter_ms: float = 0.0
    """At most so much more, drawn evenly."""
    slow_share: float = 0.0
    """Share of the replies that take `slow_factor` times as long."""
    slow_factor: float = 60.0
    faults: dict[str, float] = field(default_factory=dict[str, float])
    """Fault (see `FAULTS`) → share of the requests that meet it."""
    marked: dict[str, str] = field(default_factory=dict[str, str])
    """Text → fault: a request whose body contains the text meets the fault every time."""
    retry_after_s: float = 1.0
    """What a 429 or 503 asks for."""
    dead: bool = False
    """Close each connection that asks for a completion, and those that wait for one."""
    sentences: int = 12
    """Length of a reply; a sentence has about ten words, and a word counts as a token."""

    def change(self, changes: dict[str, Any]) -> None:
        """Set the named fields. Raises AttributeError for a name that it lacks."""
        for name, value in changes.items():
            getattr(self, name)
            setattr(self, name, value)


@dataclass(slots=True)
class Stats:
    """What the server saw. A request is repeated when one with the same body came before."""

    requests: int = 0
    answered: int = 0
    """Requests that got a whole, good reply."""
    in_flight: int = 0
    max_in_flight: int = 0
    distinct: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    changed_at: float = 0.0
    area: float = 0.0
    area_until_last: float = 0.0
    seen: set[bytes] = field(default_factory=set[bytes])

    def arrived(self, body: bytes, now: float) -> None:
        """Count a request."""
        self.first_at = self.first_at or now
        self._advance(now)
        self.last_at, self.area_until_last = now, self.area
        self.requests += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        self.seen.add(blake2b(body, digest_size=8).digest())
        self.distinct = len(self.seen)

    def left(self, now: float) -> None:
        """Count a request that is answered, or whose connection is gone."""
        self._advance(now)
        self.in_flight -= 1

    def _advance(self, now: float) -> None:
        self.area += self.in_flight * (now - self.changed_at) if self.changed_at else 0.0
        self.changed_at = now

    def as_json(self) -> dict[str, float]:
        """Return the figures; the mean is over time, from the first arrival to the last."""
        span = self.last_at - self.first_at
        return {
            "requests": self.requests,
            "answered": self.answered,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "mean_in_flight_until_last": round(self.area_until_last / span, 3) if span else 0.0,
            "distinct": self.distinct,
            "repeated": self.requests - self.distinct,
        }


class MockServer:
    """A running server: where it listens, what it saw, how it behaves."""

    def __init__(self, behaviour: Behaviour, seed: int) -> None:
        self.behaviour = behaviour
        self.counted = Stats()
        self.connections: set[_Connection] = set()
        self.random = random.Random(seed)
        self.port = 0
        self._listening: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """The address that a client of the OpenAI API is given."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def stats(self) -> dict[str, float]:
        """What it saw so far."""
        return self.counted.as_json()

    async def open(self, port: int = 0) -> None:
        """Listen on `port` of the loopback interface; 0 takes a free one."""
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(
            lambda: _Connection(self), "127.0.0.1", port, backlog=4096
        )
        self.port = self._listening.sockets[0].getsockname()[1]

    async def close(self) -> None:
        """Stop listening and break every connection, as a killed server would."""
        if self._listening is not None:
            self._listening.close()
        self.break_all()
        await asyncio.sleep(0)

    def break_all(self) -> None:
        """Close every connection that waits for a completion, without a byte."""
        for connection in list(self.connections):
            connection.abort()

    def delay_s(self) -> float:
        """Draw how long the next reply takes."""
        how = self.behaviour
        delay = how.latency_ms + (self.random.random() * how.jitter_ms if how.jitter_ms else 0.0)
        if how.slow_share and self.random.random() < how.slow_share:
            delay *= how.slow_factor
        return delay / 1000

    def fault(self, body: bytes) -> str:
        """Return what goes wrong with this request; empty if nothing does."""
        for text, fault in self.behaviour.marked.items():
            if text.encode() in body:
                return fault
        drawn = self.random.random() if self.behaviour.faults else 1.0
        for fault, share in self.behaviour.faults.items():
            if drawn < share:
                return fault
            drawn -= share
        return ""


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
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget a request that nobody waits for any more."""
        self._server.connections.discard(self)
        self._done()

    def abort(self) -> None:
        """Close the connection without a byte."""
        self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Act on each request as soon as it is whole."""
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            whole = end + 4 + _content_length(head)
            if len(self._received) < whole:
                return
            body, self._received = self._received[end + 4 : whole], self._received[whole:]
            method, path, _ = head.split(b" ", 2)
            self._asked(method + b" " + path, body)

    def _asked(self, what: bytes, body: bytes) -> None:
        if what in {b"POST /v1/chat/completions", b"POST /v1/completions"}:
            self._completion(body, chat=b"chat" in what)
        elif what == b"GET /stats":
            self._reply(200, json.dumps(self._server.stats).encode())
        elif what == b"GET /v1/models":
            self._reply(200, b'{"object":"list","data":[{"id":"mock","object":"model"}]}')
        elif what == b"POST /control":
            self._control(body)
        else:
            self._reply(404, _error(f"nothing at {what.decode()}"))

    def _control(self, body: bytes) -> None:
        try:
            self._server.behaviour.change(json.loads(body))
        except (ValueError, AttributeError) as error:
            self._reply(400, _error(str(error)))
            return
        self._reply(200, json.dumps(asdict(self._server.behaviour)).encode())
        if self._server.behaviour.dead:
            for connection in list(self._server.connections - {self}):
                connection.abort()

    def _completion(self, body: bytes, *, chat: bool) -> None:
        server = self._server
        server.counted.arrived(body, self._loop.time())
        self._waiting = True
        if server.behaviour.dead:
            self.abort()
            return
        fault = server.fault(body)
        if fault != "hang":
            self._loop.call_later(server.delay_s(), self._answer, body, chat, fault)

    def _answer(self, body: bytes, chat: bool, fault: str) -> None:
        if self._transport.is_closing():
            return
        good = _completed(body, chat=chat, sentences=self._server.behaviour.sentences)
        self._done()
        if not fault:
            self._server.counted.answered += 1
            self._reply(200, good)
        elif fault == "close":
            self.abort()
        elif fault == "garbage":
            self._reply(200, b"<html><body>Welcome to the proxy</body></html>", kind="text/html")
        elif fault == "cut":
            self._reply(200, good[: len(good) // 2])
        elif fault == "torn":
            self._transport.write(_head(200, len(good)) + good[: len(good) // 2])
            self._transport.close()
        else:
            self._reply(int(fault), _error(f"made up: {fault}"))

    def _done(self) -> None:
        if self._waiting:
            self._waiting = False
            self._server.counted.left(self._loop.time())

    def _reply(self, status: int, body: bytes, *, kind: str = "application/json") -> None:
        wait = f"Retry-After: {self._server.behaviour.retry_after_s:g}\r\n"
        more = wait if status in {429, 503} else ""
        self._transport.write(_head(status, len(body), kind=kind, more=more) + body)


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    at = lowered.find(b"\r\ncontent-length:")
    return int(lowered[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def _head(status: int, length: int, *, kind: str = "application/json", more: str = "") -> bytes:
    first = f"HTTP/1.1 {status} {_PHRASES[status]}\r\nContent-Type: {kind}\r\n"
    return f"{first}{more}Content-Length: {length}\r\n\r\n".encode()


def _error(message: str) -> bytes:
    return json.dumps({"error": {"message": message, "type": "mock"}}).encode()


def _completed(body: bytes, *, chat: bool, sentences: int) -> bytes:
    asked = json.loads(body)
    prompt = json.dumps(asked.get("messages") if chat else asked.get("prompt"))
    words = _words(f"{prompt}|{asked.get('seed')}", sentences)
    limit = asked.get("max_tokens") or len(words)
    text, reason = " ".join(words[:limit]), "length" if limit < len(words) else "stop"
    place = {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
    used, made = len(prompt) // 4, min(limit, len(words))
    return json.dumps(
        {
            "id": "mock",
            "object": "chat.completion" if chat else "text_completion",
            "model": asked.get("model"),
            "choices": [{"index": 0, "finish_reason": reason, **place}],
            "usage": {
                "prompt_tokens": used,
                "completion_tokens": made,
                "total_tokens": used + made,
            },
        }
    ).encode()


def _words(asked: str, sentences: int) -> list[str]:
    drawn = blake2b(asked.encode(), digest_size=8).digest()
    first, step = int.from_bytes(drawn[:4], "big"), int.from_bytes(drawn[4:], "big") | 1
    said: list[str] = []
    for number in range(sentences):
        said += _SENTENCES[(first + number * step) % len(_SENTENCES)]
    return said


@contextlib.asynccontextmanager
async def mock_server(
    *, port: int = 0, seed: int = 1, **behaviour: Any
) -> AsyncIterator[MockServer]:
    """Run a server in this event loop; `behaviour` are fields of `Behaviour`."""
    server = MockServer(Behaviour(**behaviour), seed)
    await server.open(port)
    try:
        yield server
    finally:
        await server.close()


async def _serve(port: int, seed: int, behaviour: Behaviour) -> None:
    server = MockServer(behaviour, seed)
    await server.open(port)
    sys.stdout.write(json.dumps({"url": server.url, "port": server.port}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description="Serve made-up completions.")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="of delays and faults")
    for name in ("latency_ms", "jitter_ms", "slow_share", "slow_factor", "retry_after_s"):
        parser.add_argument(f"--{name.replace('_', '-')}", type=float)
    parser.add_argument("--sentences", type=int, help="length of a reply")
    parser.add_argument(
        "--fault", action="append", default=[], metavar="KIND=SHARE", help=", ".join(FAULTS)
    )
    given = vars(parser.parse_args())
    port, seed, faults = given.pop("port"), given.pop("seed"), given.pop("fault")
    behaviour = Behaviour(**{name: value for name, value in given.items() if value is not None})
    behaviour.faults = {kind: float(share) for kind, share in (one.split("=") for one in faults)}
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(port, seed, behaviour))


if __name__ == "__main__":
    main()
