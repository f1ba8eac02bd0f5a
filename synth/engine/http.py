"""Any server that speaks the OpenAI API: vLLM, llama.cpp, SGLang, hosted ones; several at once.

The client must not be what a run waits for: a call costs less than a tenth of a millisecond of
CPU. What most calls have in common is encoded once; a body is built from it and two more pieces.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from pydantic import (
    Field,
    JsonValue,
    PrivateAttr,
    field_serializer,
    field_validator,
    model_validator,
)

from synth.engine import openai_wire as wire
from synth.engine import scoring
from synth.engine.base import (
    Chat,
    Completion,
    Engine,
    Origin,
    Prompted,
    Sampling,
    Text,
    TokenLogprobs,
)
from synth.engine.chat_template import ChatTemplate
from synth.engine.http_servers import Servers
from synth.engine.server_template import ServerTemplate
from synth.errors import CallFailed, EngineRefused, InputError, Outage
from synth.frozen import RecipeFile
from synth.record import Message, canonical, digest

_OURS = frozenset({"model", "messages", "prompt", "seed", "stream", "n", "best_of"})
_CONSTANTS_KEPT = 256


@dataclass(slots=True)
class _Connected:
    """What lives from `start` to `close`."""

    servers: Servers
    template: ServerTemplate
    constants: dict[tuple[bool, str], str] = field(default_factory=dict[tuple[bool, str], str])
    """What request bodies have in common, by endpoint and sampling."""


class HttpEngine(Engine):
    """A model behind one or more OpenAI-compatible servers.

    Give `url` or `urls`, mostly ending in /v1 (added to an address without a path). Requests go to
    the server with the fewest in flight. Redirects, cookies and proxies of the environment are not
    followed. Past `reasoning` of a conversation is not sent.
    """

    name: ClassVar[str] = "http"
    knobs: ClassVar[frozenset[str]] = Engine.knobs | {"url", "urls", "api_key_env"}
    capabilities: ClassVar[frozenset[str]] = frozenset(
        {"chat", "text", "logprobs", "embed", "chat_text"}
    )

    model: str
    """The model's name, as the server calls it."""
    url: str | None = None
    """The server's address, such as http://127.0.0.1:8000/v1."""
    urls: tuple[str, ...] = ()
    """Several servers with the same model, instead of `url`."""
    api_key_env: str | None = None
    """Name of the environment variable that holds the key. The key itself is stored nowhere."""
    revision: str | None = None
    """What you know of the model's version: it is part of the identity, and not sent."""
    chat_template: RecipeFile | None = None
    """A Jinja file or a tokenizer's folder: where the server does not show its template."""
    send_seed: bool = True
    """Whether each call's derived seed is sent; False for a server that refuses the name."""
    extra_body: dict[str, JsonValue] = Field(default_factory=dict)
    """Sent with each request as it is: what only this server knows. Part of the identity."""

    _connected: _Connected | None = PrivateAttr(None)
    _template: ChatTemplate | None = PrivateAttr(None)
    _way: scoring.Way | None = PrivateAttr(None)

    @field_validator("url")
    @classmethod
    def _one_normal_address(cls, url: str | None) -> str | None:
        return None if url is None else _normal(url)

    @field_validator("urls")
    @classmethod
    def _normal_addresses(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(_normal(url) for url in urls)

    @field_validator("extra_body")
    @classmethod
    def _leaves_ours_alone(cls, extra: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if taken := sorted(_OURS & set(extra)):
            raise ValueError(f"{', '.join(taken)} cannot be set here: the framework sends its own")
        return extra

    @model_validator(mode="after")
    def _has_servers_and_a_readable_template(self) -> Self:
        if bool(self.url) == bool(self.urls):
            raise ValueError("wants `url` or `urls`, one of the two")
        if self.chat_template is not None:
            self._template = ChatTemplate.read(self.chat_template)
        return self

    @field_serializer("chat_template")
    def _template_as_content(self, _path: Any) -> str | None:
        """Return a digest of what is rendered alone: the folder may hold a whole model."""
        if self._template is None:
            return None
        return digest(self._template.source, canonical(self._template.tokens))

    async def start(self) -> None:
        """Open the session. Raises InputError if the key's variable is not set."""
        urls = self.urls or (self.url or "",)
        servers = Servers(urls, key=self._key(), timeout_s=self.timeout_s)
        self._connected = _Connected(servers, ServerTemplate(servers, self.model))

    def _key(self) -> str | None:
        if self.api_key_env is None:
            return None
        key = os.environ.get(self.api_key_env, "").strip()
        if not key:
            raise InputError(
                f"wanted an API key in the environment variable {self.api_key_env!r} "
                f"(`api_key_env` of the engine {self.model!r}), it is not set; "
                f"export {self.api_key_env}=…"
            )
        if not (key.isascii() and key.isprintable()):
            raise InputError(f"the value of {self.api_key_env!r} is no key: it has odd characters")
        return key

    async def close(self) -> None:
        """Close the connections."""
        if self._connected is not None:
            await self._connected.servers.close()
            self._connected = None

    async def complete(self, prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        """Return one completion. Raises what `Servers.post` does."""
        connected = self._open
        chat = isinstance(prompt, Chat)
        try:
            constant = self._constant(connected, sampling, chat=chat)
            body = wire.body(constant, prompt, sampling, send_seed=self.send_seed)
        except ValueError as error:
            raise CallFailed(str(error)) from error
        began = time.perf_counter()
        return await connected.servers.post(
            "chat/completions" if chat else "completions",
            body,
            lambda reply: wire.completion(
                reply, sampling, chat=chat, seconds=time.perf_counter() - began
            ),
        )

    def _constant(self, connected: _Connected, sampling: Sampling, *, chat: bool) -> str:
        constants, key = connected.constants, (chat, sampling.unseeded)
        if key not in constants:
            if len(constants) >= _CONSTANTS_KEPT:
                constants.clear()
            made = wire.constant_part(self.model, sampling, self.extra_body, chat=chat)
            constants[key] = made
        return constants[key]

    @property
    def _open(self) -> _Connected:
        """What a call needs: looked up once a call, for a private attribute is slow."""
        connected = self._connected
        assert connected is not None, "start() comes before the first call"
        return connected

    async def logprobs(
        self, prompt: Prompted, continuation: str, origin: Origin, *, cut_at: int | None = None
    ) -> TokenLogprobs:
        """Return the log-probabilities of the tokens of `continuation`, each given all before it.

        A conversation becomes text by its chat template first. A token that straddles the border
        counts; the very first token of a text, with nothing before it, is left out. The server has
        to read the whole text, whatever `cut_at`. Asks for vLLM's `prompt_logprobs`, else OpenAI's
        `echo`. Raises EngineRefused if the server ignores both.
        """
        if not continuation:
            return TokenLogprobs((), ())
        given = await self._as_text(prompt)
        text = f"{given.text}{continuation}"
        scored = await self._scored(Text(text, add_special_tokens=given.add_special_tokens))
        return scoring.continuation(scored, text, len(given.text), cut_at=cut_at)

    async def _as_text(self, prompt: Prompted) -> Text:
        if isinstance(prompt, Chat):
            written = await self.chat_text(prompt.messages, reply_next=True)
        elif isinstance(prompt.text, str):
            return prompt
        else:
            written = await self._open.template.detokenized(prompt.text)
        return Text(written, add_special_tokens=False)

    async def _scored(self, text: Text) -> scoring.Scored:
        """Return all tokens of `text`, asked in the first way that the server understands."""
        refusal: CallFailed | None = None
        for way in scoring.WAYS if self._way is None else (self._way,):
            try:
                scored = await self._scored_by(way, text)
            except Outage:
                raise
            except CallFailed as failed:
                refusal = failed
                continue
            if scored is not None:
                self._way = way
                return scored
        raise refusal or EngineRefused(
            f"the server of {self.model!r} gives no log-probabilities of a prompt: it ignores "
            f"`prompt_logprobs` (vLLM) and `echo` (OpenAI); name another engine there"
        )

    async def _scored_by(self, way: scoring.Way, text: Text) -> scoring.Scored | None:
        asked = {"model": self.model, "prompt": text.text, **way.asks, **self.extra_body}
        if not text.add_special_tokens:
            asked["add_special_tokens"] = False
        written = str(text.text)
        return await self._open.servers.post(
            "completions", wire.encoded(asked), lambda reply: way.read(wire.choice(reply), written)
        )

    async def embed(self, texts: Sequence[str], origin: Origin) -> list[list[float]]:
        """Return one vector for each text, in order."""
        body = wire.encoded({"model": self.model, "input": list(texts), **self.extra_body})
        return await self._open.servers.post(
            "embeddings", body, lambda reply: wire.vectors(reply, len(texts))
        )

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` as the chat template writes them: ours if given, else the server's.

        Raises EngineRefused if the server shows none, CallFailed if the template refuses
        `messages`.
        """
        sent = wire.sendable(messages)
        if self._template is not None:
            return self._template.render(sent, reply_next=reply_next)
        return await self._open.template.chat_text(sent, reply_next=reply_next)


def _normal(url: str) -> str:
    """Return an address as we use it. Raises ValueError for none, or one that holds a secret."""
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("wants an address like http://127.0.0.1:8000/v1")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("wants an address without user, password, ? or #; see `api_key_env`")
    path = parts.path.rstrip("/")
    for endpoint in ("/chat/completions", "/completions"):
        path = path.removesuffix(endpoint)
    return f"{parts.scheme}://{parts.netloc}{path or '/v1'}"
