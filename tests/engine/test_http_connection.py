"""Our HTTP client against servers that say exactly what each test writes down; on both loops."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncGenerator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from synth.engine.http_connection import Connections, Reply
from synth.errors import EngineRefused, Outage

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@dataclass
class Spoken:
    """A server, and what was said to it."""

    port: int = 0
    requests: list[bytes] = field(default_factory=list[bytes])
    connections: int = 0
    was_asked: asyncio.Event = field(default_factory=asyncio.Event)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)


Speak = Callable[..., Any]


@pytest.fixture
async def speaks() -> AsyncGenerator[Speak, None]:
    """Start a server that answers each request with the next of some bytes.

    None is silence; bytes that end with END are followed by the end of the connection.
    """
    async with AsyncExitStack() as stack:

        async def start(
            *answers: bytes | None, tls: ssl.SSLContext | None = None, drips: bool = False
        ) -> Spoken:
            spoken, left, serving = Spoken(), list(answers), list[Any]()

            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                serving.append(asyncio.current_task())
                spoken.connections += 1
                while request := await _request(reader):
                    spoken.requests.append(request)
                    spoken.was_asked.set()
                    answer = left.pop(0)
                    await _write(writer, (answer or b"").removesuffix(END), drips=drips)
                    if answer is not None and answer.endswith(END):
                        break
                spoken.hung_up.set()
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

            server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
            stack.push_async_callback(_stop, server, serving)
            spoken.port = server.sockets[0].getsockname()[1]
            return spoken

        yield start


END = b"(end)"


async def _stop(server: asyncio.Server, serving: list[Any]) -> None:
    server.close()
    if serving:
        await asyncio.wait(serving, timeout=2)


async def _write(writer: asyncio.StreamWriter, answer: bytes, *, drips: bool) -> None:
    for place in range(0, len(answer), 1 if drips else max(1, len(answer))):
        writer.write(answer[place:][: 1 if drips else None])
        await asyncio.sleep(0.001 if drips else 0)


async def _request(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.rpartition(b"Content-Length: ")[2])
        return head + await reader.readexactly(size)
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


def connections(spoken: Spoken, **options: Any) -> Connections:
    url = options.pop("url", f"http://127.0.0.1:{spoken.port}")
    options = {"headers": {}, "timeout_s": 5.0, "keep_s": 4.0, **options}
    return Connections(url, **options)


async def post(spoken: Spoken, **options: Any) -> Reply:
    opened = connections(spoken, **options)
    try:
        return await opened.post("/v1/chat", b"{}")
    finally:
        await opened.close()


# A request


async def test_a_request_is_plain_http(speaks: Speak):
    server = await speaks(HELLO)

    reply = await post(server, headers={"Accept": "application/json"})

    assert (reply.status, reply.body) == (200, b"hello")
    assert server.requests == [
        f"POST /v1/chat HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nAccept-Encoding: identity\r\n"
        "Accept: application/json\r\nContent-Length: 2\r\n\r\n{}".encode()
    ]


async def test_a_path_is_quoted(speaks: Speak):
    server = await speaks(HELLO)
    opened = connections(server)

    await opened.post("/a b/ü\r\nX: y", b"")
    await opened.close()

    assert server.requests[0].startswith(b"POST /a%20b/%C3%BC%0D%0AX:%20y HTTP/1.1\r\nHost: ")


async def test_a_server_has_a_name_beyond_ascii(speaks: Speak, monkeypatch: pytest.MonkeyPatch):
    server = await speaks(HELLO)
    loop, asked = asyncio.get_running_loop(), list[Any]()
    real = loop.getaddrinfo

    async def look_up(host: str, port: int, **options: Any) -> Any:
        asked.append(host)
        return await real("127.0.0.1", port, **options)

    if type(loop).__module__.startswith("uvloop"):
        pytest.skip("what uvloop looks up cannot be replaced")
    monkeypatch.setattr(loop, "getaddrinfo", look_up)
    await post(server, url=f"http://bücher.example:{server.port}")

    assert asked == ["xn--bcher-kva.example"]
    assert f"Host: xn--bcher-kva.example:{server.port}\r\n".encode() in server.requests[0]


# A reply


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nhello" + END,
        b"HTTP/1.0 200 OK\r\nServer: old\r\n\r\nhello" + END,
        b"HTTP/1.1 100 Continue\r\n\r\n" + HELLO,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + HELLO,
    ],
    ids=["chunked", "until the end", "HTTP 1.0", "100 first", "103 first"],
)
async def test_a_reply_may_come_in_any_form(speaks: Speak, answer: bytes):
    reply = await post(await speaks(answer))

    assert (reply.status, reply.body) == (200, b"hello")


async def test_a_reply_may_come_byte_by_byte(speaks: Speak):
    reply = await post(await speaks(HELLO, drips=True))

    assert reply.body == b"hello"


async def test_headers_are_found_in_any_case(speaks: Speak):
    server = await speaks(
        b"HTTP/1.1 429 Busy\r\nretry-AFTER: 7\r\nX-Odd: \xff\r\nContent-Length: 0\r\n\r\n"
    )

    reply = await post(server)

    assert (reply.status, reply.header(b"retry-after"), reply.header(b"x-odd")) == (429, "7", "ÿ")
    assert reply.header(b"location") == ""


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (END, "disconnected: http://127.0.0.1:.*"),
        (b"HTTP/1.1 200 OK\r\nContent-Le" + END, "disconnected"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello" + END, "cut_off"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello" + END, "cut_off"),
        (b"220 mail ready\r\n", "not_http"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", "not_http"),
        (b"HTTP/1.1 101 Upgrade\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", "not_http"),
        (b"\x00" * 100, "not_http"),
    ],
)
async def test_what_is_no_whole_reply_is_an_outage(speaks: Speak, answer: bytes, reason: str):
    with pytest.raises(Outage, match=f"^{reason}"):
        await post(await speaks(answer))


async def test_silence_is_a_timeout(speaks: Speak):
    server = await speaks(None)

    with pytest.raises(Outage, match=r"^timeout: no reply within 0.1 s$"):
        await post(server, timeout_s=0.1)

    await asyncio.wait_for(server.hung_up.wait(), 2)


# Connections


async def test_a_connection_is_used_again(speaks: Speak):
    server = await speaks(HELLO, HELLO)
    opened = connections(server)

    replies = [await opened.post("/", b"") for _ in range(2)]
    await opened.close()

    assert ([reply.body for reply in replies], server.connections) == ([b"hello"] * 2, 1)


async def test_calls_at_once_have_a_connection_each(speaks: Speak):
    server = await speaks(*[HELLO] * 3)
    opened = connections(server)

    await asyncio.gather(*(opened.post("/", b"") for _ in range(3)))
    await opened.close()

    assert server.connections == 3


@pytest.mark.parametrize(
    "first",
    [
        HELLO.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"),
        HELLO.replace(b"1.1", b"1.0"),
        HELLO + END,
        HELLO + b"and more that nobody asked for",
    ],
    ids=["said", "HTTP 1.0", "just closed", "confused"],
)
async def test_a_connection_that_ends_is_not_used_again(speaks: Speak, first: bytes):
    server = await speaks(first, HELLO)
    opened = connections(server)

    await opened.post("/", b"")
    await asyncio.sleep(0.05)
    reply = await opened.post("/", b"")
    await opened.close()

    assert (reply.body, server.connections) == (b"hello", 2)


async def test_an_old_connection_is_not_used_again(speaks: Speak):
    server = await speaks(HELLO, HELLO)
    opened = connections(server, keep_s=0.05)

    await opened.post("/", b"")
    await asyncio.sleep(0.1)
    await opened.post("/", b"")
    await opened.close()

    assert server.connections == 2


async def test_keeping_for_no_time_asks_the_server_to_close(speaks: Speak):
    server = await speaks(HELLO)

    await post(server, keep_s=0.0)

    assert b"\r\nConnection: close\r\n" in server.requests[0]


async def test_a_cancelled_call_hangs_up_and_harms_no_other(speaks: Speak):
    server = await speaks(None, HELLO)
    opened = connections(server)
    call = asyncio.create_task(opened.post("/", b""))
    await asyncio.wait_for(server.was_asked.wait(), 2)

    call.cancel()
    await asyncio.wait([call])
    await asyncio.wait_for(server.hung_up.wait(), 2)
    reply = await opened.post("/", b"")
    await opened.close()

    assert (call.cancelled(), reply.body) == (True, b"hello")


async def test_closing_ends_all_connections(speaks: Speak):
    server = await speaks(HELLO)
    opened = connections(server)
    await opened.post("/", b"")

    await opened.close()

    await asyncio.wait_for(server.hung_up.wait(), 2)


async def test_a_name_that_nobody_knows_is_no_connection():
    with pytest.raises(Outage, match=r"^no_connection: http://no-such-host\.invalid") as raised:
        await post(Spoken(), url="http://no-such-host.invalid")

    assert not raised.value.blames_call


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that nobody signed, and its key, in one file."""
    file = tmp_path_factory.mktemp("tls") / "localhost.pem"
    made = subprocess.run(
        (
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", "-", "-out", "-", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
        ),
        capture_output=True,
        check=True,
    )
    file.write_bytes(made.stdout)
    return file


def _tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


async def test_a_certificate_that_is_trusted(
    speaks: Speak, certificate: Path, monkeypatch: pytest.MonkeyPatch
):
    server = await speaks(HELLO, HELLO, tls=_tls(certificate))
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    opened = connections(server, url=f"https://localhost:{server.port}")

    replies = [await opened.post("/", b"x" * 300_000) for _ in range(2)]
    await opened.close()

    assert ([reply.body for reply in replies], server.connections) == ([b"hello"] * 2, 1)


async def test_a_certificate_that_is_not_trusted_ends_the_run(speaks: Speak, certificate: Path):
    server = await speaks(HELLO, tls=_tls(certificate))

    with pytest.raises(EngineRefused, match=r"https://localhost.*certificate.*check `url`"):
        await post(server, url=f"https://localhost:{server.port}")

    assert not server.requests


async def test_tls_with_a_server_that_has_none_is_no_connection(speaks: Speak):
    server = await speaks()

    with pytest.raises(Outage, match=r"^no_connection"):
        await post(server, url=f"https://127.0.0.1:{server.port}", timeout_s=2.0)
