"""Real servers on the loopback interface for the tests of engines."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvloop
from aiohttp import web
from aiohttp.test_utils import TestServer

_ON_BOTH_LOOPS = {"test_http_connection"}


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Any]:
    """Run what speaks to sockets itself on uvloop, too: a run uses it where there is one."""
    loops: dict[str, Any] = {"asyncio": asyncio.new_event_loop}
    if item.path.stem in _ON_BOTH_LOOPS:
        loops["uvloop"] = uvloop.new_event_loop
    return loops


@dataclass
class Asked:
    """One request that a server got."""

    path: str
    body: Any
    headers: dict[str, str]


@dataclass
class Answer:
    """What a server answers: JSON, or bytes as they are."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])


Answers = Any
"""An Answer or its body; or a function of the request that returns one, async or not."""


@dataclass
class Served:
    """A running server."""

    url: str
    asked: list[Asked]
    """All requests, in order of arrival."""


async def _serve(answers: Answers, stack: AsyncExitStack) -> Served:
    asked: list[Asked] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(Asked(request.path, await request.json(), dict(request.headers)))
        given: Any = answers(asked[-1]) if callable(answers) else answers
        if inspect.isawaitable(given):
            given = await given
        answer = given if isinstance(given, Answer) else Answer(given)
        if isinstance(answer.body, bytes):
            return web.Response(body=answer.body, status=answer.status, headers=answer.headers)
        return web.json_response(answer.body, status=answer.status, headers=answer.headers)

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    server = await stack.enter_async_context(TestServer(app))
    return Served(str(server.make_url("/v1")), asked)


@pytest.fixture
async def serve() -> AsyncGenerator[Callable[[Answers], Awaitable[Served]], None]:
    """Start a server that gives each POST the same answer, or what a function returns for it."""
    async with AsyncExitStack() as stack:
        yield lambda answers: _serve(answers, stack)


@pytest.fixture
def answer() -> type[Answer]:
    """The class of answers with a status or headers."""
    return Answer
