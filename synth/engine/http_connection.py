"""HTTP/1.1, as much of it as asking a model takes: POST, whole replies, connections kept open.

A general client does more for each call (cookies, redirects, sessions, encodings), and that was
most of what a call cost: see DESIGN.md. What is hard is left to those who do it well: llhttp, the
parser of Node.js (httptools), TLS of the event loop, and the choice of an address
(aiohappyeyeballs).
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import quote, urlsplit

from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType]
from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from synth.errors import EngineRefused, Outage

_LONGEST_CONNECT_S = 30.0
_NEXT_ADDRESS_AFTER_S = 0.25
_ADDRESSES_KEPT_S = 10.0
_LONGEST_REPLY = 1 << 30
_TURNS_TO_LET_GO = 10
_IN_PATHS = "/%:@!$&'()*+,;=~"


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answered."""

    status: int
    headers: Mapping[bytes, bytes]
    """Names in lower case; of a repeated one the last."""
    body: bytes

    def header(self, name: bytes) -> str:
        """Return a header's value, or ""."""
        return self.headers.get(name, b"").decode("latin-1")


class _Connection(asyncio.Protocol):
    """One connection: a request goes out, its reply comes in, then the next. Made by the loop."""

    _transport: asyncio.Transport

    def __init__(self, url: str, lost: Callable[[_Connection], None]) -> None:
        self.idle_since = 0.0
        self._url = url
        self._lost = lost
        self._parser = HttpResponseParser(self)
        self._reply: asyncio.Future[Reply] | None = None
        self._forget()

    def _forget(self) -> None:
        self._status: int | None = None
        self._headers: dict[bytes, bytes] = {}
        self._body: list[bytes] = []
        self._size = 0

    def ask(self, request: bytes, reply: asyncio.Future[Reply]) -> None:
        """Send a request; `reply` gets the reply, or an Outage."""
        self._forget()
        self._reply = reply
        self._transport.write(request)

    def fail(self, reason: str, *, blames_call: bool = True) -> None:
        """End the connection; who waits for a reply gets an Outage."""
        reply, self._reply = self._reply, None
        if reply is not None and not reply.done():
            reply.set_exception(Outage(reason, blames_call=blames_call))
        self._transport.abort()

    def end(self) -> None:
        """End the connection; nobody waits any more."""
        self._reply = None
        self._transport.abort()

    @property
    def usable(self) -> bool:
        """Whether another request may be sent."""
        return not self._transport.is_closing()

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._reply is None:  # such as a 408 before the server closes an idle connection
            self._transport.abort()
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self.fail(f"not_http: wanted an HTTP reply, got {type(error).__name__}")

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(self)
        if self._reply is None:
            return
        if self._status is None:
            how = f"disconnected: {self._url}: no reply ({exc or 'it was closed'})"
            self.fail(how, blames_call=False)
        elif exc is None and self._lasts_as_long_as_the_connection():
            self._answer(self._status)
        else:
            self.fail("cut_off: the connection broke in the middle of the reply")

    def _lasts_as_long_as_the_connection(self) -> bool:
        return b"content-length" not in self._headers and b"chunked" not in self._headers.get(
            b"transfer-encoding", b""
        )

    # What the parser calls

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)
        self._size += len(body)
        if self._size > _LONGEST_REPLY:
            self.fail(f"too_long: the reply is longer than {_LONGEST_REPLY} bytes")

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # a 1xx goes before the reply
            self._forget()
            return
        if not self._parser.should_keep_alive():
            self._transport.close()
        self._answer(status)

    def _answer(self, status: int) -> None:
        reply, self._reply = self._reply, None
        if reply is not None and not reply.done():
            reply.set_result(Reply(status, self._headers, b"".join(self._body)))


class Connections:
    """All connections to one server: one exchange at a time on each, as many as are asked for.

    `url` is http or https; `post` takes paths from the server's root. Idle connections are used
    again for `keep_s` seconds; 0 is a new one for each call.
    """

    def __init__(
        self, url: str, *, headers: Mapping[str, str], timeout_s: float, keep_s: float
    ) -> None:
        parts = urlsplit(url)
        host = parts.hostname or ""
        self._url = url
        self._host = host if host.isascii() else host.encode("idna").decode()
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        named = parts.netloc if host.isascii() else f"{self._host}:{self._port}"
        lines = {"Host": named, "Accept-Encoding": "identity", **headers}
        if not keep_s:
            lines["Connection"] = "close"
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        self._timeout_s = timeout_s
        self._keep_s = keep_s
        self._open: set[_Connection] = set()
        self._idle: list[_Connection] = []
        self._heads: dict[str, bytes] = {}
        self._addresses: asyncio.Future[list[Any]] | None = None
        self._addresses_until = 0.0

    async def post(self, path: str, body: bytes) -> Reply:
        """Return the reply to `body`.

        Raises Outage when none comes: `no_connection`, `disconnected`, `cut_off`, `timeout` (after
        `timeout_s`, connecting not counted), `not_http`, `too_long`; EngineRefused for a
        certificate that cannot be trusted.
        """
        loop = asyncio.get_running_loop()
        connection = self._unused(loop.time()) or await self._connected(loop)
        reply: asyncio.Future[Reply] = loop.create_future()
        timer = loop.call_later(self._timeout_s, connection.fail, self._late)
        connection.ask(b"%s%d\r\n\r\n%s" % (self._head(path), len(body), body), reply)
        try:
            answer = await reply
        except asyncio.CancelledError:
            connection.end()
            raise
        finally:
            timer.cancel()
        if connection.usable:
            connection.idle_since = loop.time()
            self._idle.append(connection)
        return answer

    @property
    def _late(self) -> str:
        return f"timeout: no reply within {self._timeout_s:g} s"

    def _head(self, path: str) -> bytes:
        """Return a request up to the value of Content-Length, its last header."""
        if path not in self._heads:
            target = quote(path, safe=_IN_PATHS)
            text = f"POST {target} HTTP/1.1\r\n{self._headers}Content-Length: "
            self._heads[path] = text.encode("latin-1")
        return self._heads[path]

    def _unused(self, now: float) -> _Connection | None:
        """Return the connection that was used last: the others have time to grow old."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and now - connection.idle_since < self._keep_s:
                return connection
            connection.end()
        return None

    async def _connected(self, loop: asyncio.AbstractEventLoop) -> _Connection:
        wait_s = min(self._timeout_s, _LONGEST_CONNECT_S)
        try:
            async with asyncio.timeout(wait_s):
                return await self._connect(loop)
        except ssl.SSLCertVerificationError as error:
            raise EngineRefused(f"{self._url}: {error}; check `url`") from error
        except TimeoutError as error:
            reason = f"no_connection: {self._url}: none within {wait_s:g} s"
            raise Outage(reason, blames_call=False) from error
        except OSError as error:
            reason = f"no_connection: {self._url}: {error}"
            raise Outage(reason, blames_call=False) from error

    async def _connect(self, loop: asyncio.AbstractEventLoop) -> _Connection:
        connected = await start_connection(
            await self._looked_up(loop), happy_eyeballs_delay=_NEXT_ADDRESS_AFTER_S
        )
        _, connection = await loop.create_connection(
            lambda: _Connection(self._url, self._open.discard),
            sock=connected,
            ssl=self._tls,
            server_hostname=self._host if self._tls else None,
        )
        self._open.add(connection)
        return connection

    async def _looked_up(self, loop: asyncio.AbstractEventLoop) -> list[Any]:
        """Return the server's addresses, looked up once for all who connect at about this time."""
        if self._addresses is None or loop.time() >= self._addresses_until:
            self._addresses_until = loop.time() + _ADDRESSES_KEPT_S
            self._addresses = asyncio.ensure_future(
                loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
            )
        try:
            return list(await asyncio.shield(self._addresses))
        except OSError:
            self._addresses_until = 0.0
            raise

    async def close(self) -> None:
        """End all connections."""
        self._idle.clear()
        for connection in [*self._open]:
            connection.end()
        # The loop lets go of a socket a turn or two later.
        for _ in range(_TURNS_TO_LET_GO):
            if self._open:
                await asyncio.sleep(0)
