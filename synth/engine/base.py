"""What an engine is: one call, one completion.

Everything below this line is sockets, GPUs or scripts; everything above knows only these types. An
engine is its options (a frozen model that a recipe spells) plus what `start` sets up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol, Self

from pydantic import Field, JsonValue

from synth.engine.reply import Completion, TokenLogprobs
from synth.errors import EngineRefused
from synth.frozen import Frozen
from synth.record import Message, canonical


@dataclass(frozen=True, slots=True)
class Chat:
    """A conversation that the model's chat template turns into text."""

    messages: tuple[Message, ...]

    def canonical(self) -> str:
        """Return the prompt as canonical JSON."""
        return canonical({"messages": self.messages})


@dataclass(frozen=True, slots=True)
class Text:
    """Raw text or token ids, continued as they stand: a Magpie pre-query, a base model's prompt."""

    text: str | tuple[int, ...]
    add_special_tokens: bool = True
    """Whether the tokenizer may add its own first token; False for text that a chat template
    made."""

    def canonical(self) -> str:
        """Return the prompt as canonical JSON."""
        return canonical({"text": self.text, "add_special_tokens": self.add_special_tokens})


Prompted = Chat | Text


class Sampling(Frozen):
    """How to draw a completion. What is None is left to the server's own default."""

    temperature: float | None = Field(default=None, ge=0)
    """0 is greedy."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = None
    """Draw from the k likeliest tokens; -1 is all. Known to vLLM and llama.cpp servers."""
    min_p: float | None = Field(default=None, ge=0, le=1)
    """Draw from tokens at least this share as likely as the likeliest."""
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = Field(default=None, gt=0)
    max_tokens: int | None = Field(default=None, ge=1)
    """Longest completion, in tokens."""
    stop: tuple[str, ...] = ()
    """Texts that end the completion; not part of it."""
    stop_token_ids: tuple[int, ...] = ()
    seed: int | None = None
    """Set by the framework for every call, from the record, the stage, the step and the sample."""
    logit_bias: dict[str, float] | None = None
    """Token id (as text) to what is added to its logit."""
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    """How many likeliest tokens to report at each place."""
    json_schema: dict[str, JsonValue] | None = None
    """The completion must be JSON that meets this schema."""
    prefill: str | None = None
    """How the assistant's reply must begin; part of the completion's text."""
    tools: tuple[dict[str, JsonValue], ...] = ()
    """Functions that the model may call, as JSON schemas in the OpenAI form."""

    @cached_property
    def unseeded(self) -> str:
        """All but the seed, as JSON text: the same for all calls of a stage, made once."""
        return self.model_dump_json(exclude={"seed"}, exclude_defaults=True)

    def seeded(self, seed: int) -> Sampling:
        """Return the same sampling with this seed."""
        _ = self.unseeded
        copied = self.__copy__()  # takes `unseeded` along; `model_copy` costs twice as much
        vars(copied)["seed"] = seed
        copied.__pydantic_fields_set__.add("seed")
        return copied

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """Return a copy with values changed; what was known of the old values is forgotten."""
        copied = super().model_copy(update=update, deep=deep)
        vars(copied).pop("unseeded", None)
        return copied


@dataclass(frozen=True, slots=True)
class Origin:
    """Which call this is: a scripted engine's address, a row of the report, a seed's source."""

    record_id: str
    stage: str
    step: str = "reply"
    sample: int = 0
    position: tuple[int, ...] = ()
    """The record's place in the run: what a script counts by, whatever the timing."""


@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """What changes replies: the kind of engine, the model, its revision and template.

    Not url, not at_once.
    """

    kind: str
    model: str
    settings: str
    """Every other option that may change a reply, as canonical JSON."""

    def canonical(self) -> str:
        """Return the identity as canonical JSON."""
        return canonical(asdict(self))


class Asks(Protocol):
    """What stages and verifiers may ask of any engine, wrapped or not."""

    @property
    def identity(self) -> EngineIdentity:
        """What changes replies."""
        ...

    async def complete(self, prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        """Return one completion of `prompt`. Raises CallFailed or OutsideError."""
        ...

    async def logprobs(
        self, prompt: Prompted, continuation: str, origin: Origin, *, cut_at: int | None = None
    ) -> TokenLogprobs:
        """Return the log-probabilities of `continuation` after `prompt`.

        With `cut_at` the text, prompt included, is read up to that many tokens.
        """
        ...

    async def classify(self, prompt: Prompted, origin: Origin) -> tuple[float, ...]:
        """Return what the model's classification head says of a text, raw, one number a label."""
        ...

    async def embed(self, texts: Sequence[str], origin: Origin) -> list[list[float]]:
        """Return one vector for each text."""
        ...

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` as the model's own chat template writes them, special tokens included.

        `reply_next` adds the header of the assistant's turn.
        """
        ...


class Engine(Frozen):
    """An engine of a recipe: fields are options, `start` sets up what costs, `close` ends it.

    A subclass sets `name` and `knobs` and writes `complete`; the other capabilities are optional
    and refuse by default. A field not named in `knobs` is part of the identity: the safe default.
    """

    name: ClassVar[str]
    knobs: ClassVar[frozenset[str]] = frozenset(
        {"at_once", "timeout_s", "give_up_after_s", "tries"}
    )
    """Fields that change how, never what: they are no part of the identity."""
    capabilities: ClassVar[frozenset[str]] = frozenset({"chat", "text"})
    """Of `chat`, `text`, `logprobs`, `embed`, `chat_text`, `classify`: what can be counted on."""

    at_once: int = Field(default=256, ge=1)
    """Requests in flight at most."""
    timeout_s: float = Field(default=600.0, gt=0)
    """Longest wait for one reply, in seconds."""
    tries: int = Field(default=5, ge=1)
    """How often one request is tried that fails while others succeed."""
    give_up_after_s: float = Field(default=600.0, ge=0)
    """Stop the run (exit 3) when nothing succeeded for this many seconds."""

    @property
    def identity(self) -> EngineIdentity:
        """What changes replies."""
        settings = self.model_dump(mode="json", exclude=set(self.knobs), exclude_defaults=True)
        model = str(settings.pop("model", ""))
        return EngineIdentity(self.name, model, canonical(settings))

    def lacking(self) -> dict[str, str]:
        """Return which of its kind's capabilities it lacks with these options, and why."""
        return {}

    async def start(self) -> None:
        """Set up connections or load the model. Raises OutsideError."""

    async def close(self) -> None:
        """Let go of what `start` set up. Never raises."""

    async def complete(self, prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        """Return one completion of `prompt`.

        Raises CallFailed (Outage if worth a retry) or OutsideError.
        """
        raise self._cannot("complete a prompt")

    async def logprobs(
        self, prompt: Prompted, continuation: str, origin: Origin, *, cut_at: int | None = None
    ) -> TokenLogprobs:
        """Return the log-probabilities of `continuation`, up to `cut_at` tokens of the whole."""
        raise self._cannot("give log-probabilities of a text")

    async def classify(self, prompt: Prompted, origin: Origin) -> tuple[float, ...]:
        """Return the raw outputs of the model's classification head for `prompt`."""
        raise self._cannot("classify a text")

    async def embed(self, texts: Sequence[str], origin: Origin) -> list[list[float]]:
        """Return one vector for each text."""
        raise self._cannot("embed texts")

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` as the model's chat template writes them."""
        raise self._cannot("show its chat template")

    def _cannot(self, what: str) -> Exception:
        return EngineRefused(f"the engine {self.name!r} cannot {what}; name another engine there")
