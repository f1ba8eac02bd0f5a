"""Connections to one or more equal servers: a JSON body in, a JSON value out, every failure named.

The least loaded server is asked next; one that just failed is asked last for a few seconds, lest a
server that fails quickly, and so is never busy, swallow everything.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

from synth.engine import openai_wire as wire
from synth.engine.http_connection import Connections, Reply
from synth.errors import CallFailed, EngineRefused, Outage, SynthError

T = TypeVar("T")

_AVOIDED_S = 3.0
# Servers close idle connections (uvicorn after 5 s): be earlier, or a request may meet that.
_KEEPALIVE_S = 4.0
_REFUSALS = {
    401: "check that `api_key_env` names the variable that holds the key",
    402: "check the account's credit",
    403: "check that the key of `api_key_env` may use this model",
    404: "check `model`, and `url` (mostly it ends in /v1)",
    405: "check `url` (mostly it ends in /v1)",
}


class NotHereError(EngineRefused):
    """There is no such endpoint at this server."""


@dataclass
class _Server:
    url: str
    connections: Connections
    load: int = 0
    avoided_until: float = 0.0

    @cached_property
    def base(self) -> str:
        """The path that endpoints follow, such as `/v1`."""
        return urlsplit(self.url).path

    def path(self, endpoint: str) -> str:
        """Return an endpoint's path at this server; `/endpoint` counts from the root, not /v1."""
        if endpoint[0] == "/":
            return self.base.removesuffix("/v1") + endpoint
        return f"{self.base}/{endpoint}"


class Servers:
    """Servers that answer alike. Make it within a running event loop; `close` it."""

    def __init__(self, urls: tuple[str, ...], *, key: str | None, timeout_s: float) -> None:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "User-Agent": "expertsynth",
        }
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        self._servers = [
            _Server(
                url,
                Connections(url, headers=headers, timeout_s=timeout_s, keep_s=_KEEPALIVE_S),
            )
            for url in urls
        ]
        self._key = key

    async def close(self) -> None:
        """Close all connections."""
        for server in self._servers:
            await server.connections.close()

    async def post(self, endpoint: str, body: bytes, read: Callable[[Any], T]) -> T:
        """Return what `read` makes of the JSON reply to `body`; it may raise UnreadableError.

        Raises Outage for what may pass, EngineRefused (NotHereError) for what every call would
        meet, CallFailed for a request that the server refuses.
        """
        server = self._next()
        server.load += 1
        try:
            return await self._exchange(server, endpoint, body, read)
        except Outage:
            server.avoided_until = time.monotonic() + _AVOIDED_S
            raise
        finally:
            server.load -= 1

    def _next(self) -> _Server:
        if len(self._servers) == 1:
            return self._servers[0]
        now = time.monotonic()
        return min(self._servers, key=lambda server: (server.avoided_until > now, server.load))

    async def _exchange(
        self, server: _Server, endpoint: str, body: bytes, read: Callable[[Any], T]
    ) -> T:
        path = server.path(endpoint)
        reply = await server.connections.post(path, body)
        if not 200 <= reply.status < 300:
            raise self._refusal(urljoin(server.url, path), reply)
        try:
            return read(wire.decoded(reply.body))
        except wire.UnreadableError as error:
            raise Outage(f"{error}, got {self._quoted(reply.body)!r}") from error

    def _refusal(self, url: str, reply: Reply) -> SynthError:
        status, said = reply.status, self._quoted(reply.body)
        if status in {429, 503}:
            wait_s = retry_after_s(reply.header(b"retry-after"))
            return Outage(f"http_{status}: {said}", retry_after_s=wait_s, blames_call=False)
        if status >= 500 or status == 408:
            return Outage(f"http_{status}: {said}")
        if status in {404, 405}:
            return NotHereError(f"{url} answered {status}: {said!r}; {_REFUSALS[status]}")
        if status in _REFUSALS:
            return EngineRefused(f"{url} answered {status}: {said!r}; {_REFUSALS[status]}")
        if status < 400:
            place = reply.header(b"location")
            return EngineRefused(f"{url} redirects to {place!r}; write that address as `url`")
        return CallFailed(f"refused_request: the server answered {status}: {said}")

    def _quoted(self, raw: bytes) -> str:
        """Return what a server said, without our key: some repeat it when they refuse it."""
        if self._key:
            raw = raw.replace(self._key.encode(), b"(the key)")
        return wire.error_message(raw)


def retry_after_s(value: str) -> float:
    """Return the seconds that a Retry-After header asks for: a number or a date; 0 if neither."""
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value)
    return max(0.0, seconds) if math.isfinite(seconds) else 0.0


def _seconds_until(value: str) -> float:
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return 0.0
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
