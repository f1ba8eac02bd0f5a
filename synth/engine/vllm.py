"""vLLM in this process, for production on GPUs: thousands of calls in flight, log-probabilities.

Prompts are rendered and tokenised here, vLLM sees token ids. Engine arguments in HOW_NOT_WHAT
decide how fast and on what it runs; all others may change replies and are part of the identity.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar, TypeVar

from pydantic import Field, JsonValue, PrivateAttr, field_validator

from synth.engine.base import (
    Chat,
    Completion,
    Engine,
    EngineIdentity,
    Origin,
    Prompted,
    Sampling,
    TokenLogprobs,
)
from synth.engine.chat_template import has_no_template
from synth.engine.hf_reading import Reading
from synth.engine.thinking import without_thinking
from synth.engine.vllm_core import VllmCore
from synth.engine.vllm_wire import SCORING, asked, completion, scored
from synth.engine.weights import ModelName
from synth.errors import EngineRefused, Outage
from synth.frozen import RecipeFile
from synth.record import Message, canonical

T = TypeVar("T")

HOW_NOT_WHAT = frozenset(
    {
        "async_scheduling",
        "block_size",
        "compilation_config",
        "cpu_offload_gb",
        "cudagraph_capture_sizes",
        "data_parallel_address",
        "data_parallel_backend",
        "data_parallel_size",
        "data_parallel_size_local",
        "device_ids",
        "disable_custom_all_reduce",
        "disable_log_stats",
        "distributed_executor_backend",
        "download_dir",
        "enable_chunked_prefill",
        "enable_expert_parallel",
        "enable_log_requests",
        "enable_prefix_caching",
        "enforce_eager",
        "gpu_memory_utilization",
        "hf_token",
        "kv_cache_memory_bytes",
        "load_format",
        "log_level",
        "master_addr",
        "master_port",
        "max_cudagraph_capture_size",
        "max_num_batched_tokens",
        "max_num_seqs",
        "max_parallel_loading_workers",
        "nnodes",
        "node_rank",
        "num_gpu_blocks_override",
        "numa_bind",
        "optimization_level",
        "performance_mode",
        "pipeline_parallel_size",
        "safetensors_load_strategy",
        "scheduling_policy",
        "shutdown_timeout",
        "stream_interval",
        "tensor_parallel_size",
        "use_tqdm_on_load",
    }
)
"""Engine arguments that change rounding at most: changed, they leave finished calls valid."""
_OPTIONS_OF_OURS = frozenset({"model", "revision", "tokenizer"})


class VllmEngine(Engine):
    """A model in vLLM's AsyncLLM, in this process and its children.

    What a sampling leaves open is what the model's authors recommend (generation_config.json). A
    chat's leading `<think>…</think>` becomes `reasoning`. Tools are shown to the model by its chat
    template; its calls stay in the text as it wrote them. Numbers depend slightly on what else is
    in flight, so a seed gives the same text most of the time, not always.
    """

    name: ClassVar[str] = "vllm"
    capabilities: ClassVar[frozenset[str]] = frozenset({"chat", "text", "logprobs", "chat_text"})

    model: ModelName
    """A name on the Hub, or a folder relative to the recipe."""
    revision: str | None = None
    """Branch, tag or commit on the Hub."""
    tokenizer: ModelName | None = None
    """Where the tokenizer comes from, if not from the model."""
    chat_template: RecipeFile | None = None
    """A Jinja file in place of the tokenizer's own chat template."""
    template_options: dict[str, JsonValue] = Field(default_factory=dict)
    """Variables for the chat template, such as `enable_thinking: false`."""
    engine_args: dict[str, JsonValue] = Field(default_factory=dict)
    """More arguments of vLLM's AsyncEngineArgs by name: `max_model_len`, `dtype` …"""

    _core: VllmCore | None = PrivateAttr(None)
    _template: str | None = PrivateAttr(None)

    @field_validator("engine_args")
    @classmethod
    def _nothing_twice(cls, engine_args: dict[str, JsonValue]) -> dict[str, JsonValue]:
        for name in sorted(_OPTIONS_OF_OURS & set(engine_args)):
            raise ValueError(f"{name!r} is an option of the engine: write it beside engine_args")
        return engine_args

    @property
    def identity(self) -> EngineIdentity:
        """The model, its tokenizer and template, and the arguments not in HOW_NOT_WHAT."""
        excluded = {*self.knobs, "engine_args"}
        settings = self.model_dump(mode="json", exclude=excluded, exclude_defaults=True)
        what = {name: v for name, v in self.engine_args.items() if name not in HOW_NOT_WHAT}
        if what:
            settings["engine_args"] = what
        return EngineIdentity(self.name, settings.pop("model"), canonical(settings))

    def lacking(self) -> dict[str, str]:
        """Return that it cannot chat where the model's folder holds no chat template."""
        folder = Path(self.tokenizer or self.model)
        if self.chat_template is not None or not has_no_template(folder):
            return {}
        why = f"the folder {folder.name!r} holds no chat template; name a file as `chat_template`"
        return {"chat": why, "chat_text": why}

    async def start(self) -> None:
        """Load the model: half a minute or more.

        Raises InputError if vLLM is missing or does not know an argument, else EngineRefused.
        """
        if self.chat_template is not None:
            self._template = self.chat_template.read_text("utf-8")
        given = {name: getattr(self, name) for name in sorted(_OPTIONS_OF_OURS)}
        named = {name: value for name, value in given.items() if value is not None}
        core = VllmCore()
        try:
            await core.start({**self.engine_args, **named})
        except BaseException:
            await core.close()
            raise
        self._core = core

    async def close(self) -> None:
        """Stop vLLM and its processes."""
        core, self._core = self._core, None
        if core is not None:
            await core.close()

    async def complete(self, prompt: Prompted, sampling: Sampling, origin: Origin) -> Completion:
        """Return one completion. Raises CallFailed for a prompt that leaves no room for a reply."""
        began = perf_counter()
        core = self._running()
        drawn = await self._in_time(core.run(self._complete(core, prompt, sampling)))
        return replace(drawn, seconds=perf_counter() - began)

    async def logprobs(
        self, prompt: Prompted, continuation: str, origin: Origin, *, cut_at: int | None = None
    ) -> TokenLogprobs:
        """Return the log-probabilities of `continuation` after `prompt`.

        Both are tokenised as one text, and a token that straddles their border counts to the
        continuation; after a prompt of token ids the continuation is tokenised alone. The very
        first token of a text has no log-probability and is left out.
        """
        if not continuation:
            return TokenLogprobs((), ())
        core = self._running()
        return await self._in_time(core.run(self._score(core, prompt, continuation, cut_at)))

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` as the model's chat template writes them."""
        core = self._running()
        return await core.run(self._write(core, messages, reply_next=reply_next))

    def _running(self) -> VllmCore:
        if self._core is None:
            raise EngineRefused("the engine 'vllm' was asked before it was started, or after")
        return self._core

    async def _in_time(self, work: Coroutine[Any, Any, T]) -> T:
        try:
            async with asyncio.timeout(self.timeout_s):
                return await work
        except TimeoutError as error:
            raise Outage(f"timeout: no reply within {self.timeout_s:g} s") from error

    async def _complete(self, core: VllmCore, prompt: Prompted, sampling: Sampling) -> Completion:
        reading = self._reading(core)
        raw = reading.raw(prompt, sampling)
        output = await core.generate(reading.tokens(raw), asked(sampling))
        drawn = completion(output, sampling)
        if not isinstance(prompt, Chat):
            return drawn
        begun = str(raw.text).rstrip().endswith("<think>")
        text, reasoning = without_thinking(drawn.text, begun=begun)
        return replace(drawn, text=text, reasoning=reasoning)

    async def _write(self, core: VllmCore, messages: Sequence[Message], *, reply_next: bool) -> str:
        return str(self._reading(core).rendered(messages, reply_next=reply_next).text)

    async def _score(
        self, core: VllmCore, prompt: Prompted, continuation: str, cut_at: int | None
    ) -> TokenLogprobs:
        reading = self._reading(core)
        raw = reading.raw(prompt, Sampling())
        tokens, first = reading.tokens_and_border(raw, continuation)
        tokens = tokens[:cut_at]
        if first >= len(tokens):
            return TokenLogprobs((), (), first)
        output = await core.generate(tokens, SCORING)
        return scored(output, tokens, first)

    def _reading(self, core: VllmCore) -> Reading:
        return Reading(core.tokenizer, self._template, self.template_options)
