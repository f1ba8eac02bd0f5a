"""Connections to one or more equal servers: a JSON body in, a JSON value out, every failure named.

The least loaded server is asked next; one that just failed is asked last for a few seconds, lest a
server that fails quickly, and so is never busy, swallow everything.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import aiohttp
from yarl import URL

from synth.engine import openai_wire as wire
from synth.errors import CallFailed, EngineRefused, Outage, SynthError

T = TypeVar("T")

_AVOIDED_S = 3.0
_LONGEST_CONNECT_S = 30.0
# Servers close idle connections (uvicorn after 5 s): be earlier, or a request may meet that.
_KEEPALIVE_S = 4.0
_AUTOMATIC = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
_REFUSALS = {
    401: "check that `api_key_env` names the variable that holds the key",
    402: "check the account's credit",
    403: "check that the key of `api_key_env` may use this model",
    404: "check `model`, and `url` (mostly it ends in /v1)",
    405: "check `url` (mostly it ends in /v1)",
}


class NotHereError(EngineRefused):
    """There is no such endpoint at this server."""


@dataclass(slots=True)
class _Server:
    url: str
    load: int = 0
    avoided_until: float = 0.0
    endpoints: dict[str, URL] = field(default_factory=dict[str, URL])

    def at(self, path: str) -> URL:
        """Return the address of an endpoint; `/path` counts from the root, not from /v1."""
        if path not in self.endpoints:
            base = self.url.removesuffix("/v1") if path.startswith("/") else f"{self.url}/"
            self.endpoints[path] = URL(base + path)
        return self.endpoints[path]


class Servers:
    """Servers that answer alike. Make it within a running event loop; `close` it."""

    def __init__(self, urls: tuple[str, ...], *, key: str | None, timeout_s: float) -> None:
        self._servers = [_Server(url) for url in urls]
        self._key = key
        self._timeout_s = timeout_s
        headers = {"Content-Type": "application/json", "Accept": "application/json",
                   "User-Agent": "expertsynth"}  # fmt: skip
        if key is not None:
            headers["Authorization"] = f"Bearer {key}"
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=_KEEPALIVE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            skip_auto_headers=_AUTOMATIC,
            timeout=aiohttp.ClientTimeout(
                total=timeout_s, sock_connect=min(timeout_s, _LONGEST_CONNECT_S)
            ),
            trust_env=False,
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def post(self, path: str, body: bytes, read: Callable[[Any], T]) -> T:
        """Return what `read` makes of the JSON reply to `body`; it may raise UnreadableError.

        Raises Outage for what may pass, EngineRefused (NotHereError) for what every call would
        meet, CallFailed for a request that the server refuses.
        """
        server = self._next()
        server.load += 1
        try:
            return await self._exchange(server, path, body, read)
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
        self, server: _Server, path: str, body: bytes, read: Callable[[Any], T]
    ) -> T:
        url = server.at(path)
        try:
            async with self._session.post(url, data=body, allow_redirects=False) as response:
                raw = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._broken(error, server) from error
        if not 200 <= response.status < 300:
            raise self._refusal(url, response, raw)
        try:
            return read(wire.decoded(raw))
        except wire.UnreadableError as error:
            raise Outage(f"{error}, got {self._quoted(raw)!r}") from error

    def _broken(self, error: Exception, server: _Server) -> SynthError:
        """Return what a failure below HTTP means. No reason that a record may keep names a host."""
        if isinstance(error, aiohttp.ClientConnectorCertificateError):
            return EngineRefused(f"{server.url}: {error}; check `url`")
        if isinstance(error, aiohttp.ConnectionTimeoutError | aiohttp.ClientConnectorError):
            return Outage(f"no_connection: {server.url}: {error}", blames_call=False)
        if isinstance(error, TimeoutError):
            return Outage(f"timeout: no reply within {self._timeout_s:g} s")
        if isinstance(error, aiohttp.ClientOSError | aiohttp.ServerDisconnectedError):
            return Outage(f"disconnected: {server.url}: no reply ({error})", blames_call=False)
        if isinstance(error, aiohttp.ClientPayloadError):
            return Outage("cut_off: the connection broke in the middle of the reply")
        return Outage(f"not_http: wanted an HTTP reply, got {type(error).__name__}")

    def _refusal(self, url: URL, response: aiohttp.ClientResponse, raw: bytes) -> SynthError:
        status, said = response.status, self._quoted(raw)
        if status in {429, 503}:
            wait_s = retry_after_s(response.headers.get("Retry-After", ""))
            return Outage(f"http_{status}: {said}", retry_after_s=wait_s, blames_call=False)
        if status >= 500 or status == 408:
            return Outage(f"http_{status}: {said}")
        if status in {404, 405}:
            return NotHereError(f"{url} answered {status}: {said!r}; {_REFUSALS[status]}")
        if status in _REFUSALS:
            return EngineRefused(f"{url} answered {status}: {said!r}; {_REFUSALS[status]}")
        if status < 400:
            place = response.headers.get("Location", "")
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
