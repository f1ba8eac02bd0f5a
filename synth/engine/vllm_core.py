"""vLLM's own engine in a thread and an event loop of its own: its work never holds up the run's.

Everything that touches vLLM or its tokenizer happens on that loop; `run` carries a coroutine across
and its result back, and cancelling it there aborts the request here.
"""
# vLLM is not installed where types are checked.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import multiprocessing
import os
from collections.abc import Coroutine, Mapping, Sequence
from itertools import count
from threading import Thread
from typing import Any, TypeVar

from synth.errors import CallFailed, EngineDown, EngineRefused, InputError, Outage, did_you_mean

T = TypeVar("T")

_QUIET: Mapping[str, str] = {
    "VLLM_LOGGING_LEVEL": "WARNING",
    # Standard output belongs to the command that runs us.
    "VLLM_LOGGING_STREAM": "ext://sys.stderr",
    "VLLM_NO_USAGE_STATS": "1",
    # A run has threads, and a process with threads must not be forked.
    "VLLM_WORKER_MULTIPROC_METHOD": "spawn",
}
"""Set before vLLM is imported, unless the user has set them."""
_JOIN_S = 30.0
_CHILD = "EngineCore"


class VllmCore:
    """A running AsyncLLM, its tokenizer, and the thread that they live in."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        # A daemon: a program that forgets to close its engine must still end.
        self._thread = Thread(target=self._loop.run_forever, name="synth-vllm", daemon=True)
        self._thread.start()
        self._numbers = count()
        self._llm: Any = None
        self._defaults: dict[str, Any] = {}
        self.tokenizer: Any = None
        """The model's, of transformers; to be used on the engine's loop."""
        self.context_tokens = 0
        """Longest prompt and completion together."""

    async def start(self, engine_args: Mapping[str, Any]) -> None:
        """Load the model. Raises InputError for unknown arguments, EngineRefused if it fails."""
        await self.run(self._start(engine_args))

    async def _start(self, engine_args: Mapping[str, Any]) -> None:
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        _check_names(engine_args)
        from vllm import AsyncEngineArgs
        from vllm.v1.engine.async_llm import AsyncLLM

        try:
            self._llm = AsyncLLM.from_engine_args(AsyncEngineArgs(**engine_args))
        except (OSError, RuntimeError, ValueError, TypeError, AssertionError) as error:
            said = " ".join(str(error).split())[:300]
            raise EngineRefused(
                f"vLLM cannot start {engine_args['model']!r}: {type(error).__name__}: {said}"
            ) from error
        self.context_tokens = self._llm.model_config.max_model_len
        self._defaults = self._llm.model_config.get_diff_sampling_param()
        tokenizer = self._llm.get_tokenizer()
        self.tokenizer = await tokenizer if inspect.isawaitable(tokenizer) else tokenizer

    async def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Return what `work` gives on the engine's loop; cancelled together with the caller."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def generate(self, tokens: Sequence[int], asked: Mapping[str, Any]) -> Any:
        """Return vLLM's final output for a prompt of token ids.

        Raises CallFailed for a prompt that leaves no room for a reply or for what vLLM refuses,
        Outage if it breaks off, EngineDown if it is dead.
        """
        if len(tokens) >= self.context_tokens:
            raise CallFailed(
                f"prompt_too_long: {len(tokens)} tokens and a reply, the model's context holds "
                f"{self.context_tokens}; raise max_model_len or shorten the prompt"
            )
        number = f"synth-{next(self._numbers)}"
        try:
            params = _params({"max_tokens": None, **self._defaults, **asked})
            prompt = {"type": "token", "prompt_token_ids": list(tokens)}
            outputs = [output async for output in self._llm.generate(prompt, params, number)]
        except Exception as error:
            raise _ours(error) from error
        return outputs[-1]

    async def close(self) -> None:
        """Stop vLLM's processes and the thread. Never raises."""
        if self._thread.is_alive():
            await asyncio.wrap_future(
                asyncio.run_coroutine_threadsafe(self._shut_down(), self._loop)
            )
            self._loop.call_soon_threadsafe(self._loop.stop)
            await asyncio.to_thread(self._thread.join, _JOIN_S)
            self._loop.close()

    async def _shut_down(self) -> None:
        llm, self._llm = self._llm, None
        if llm is not None:
            llm.shutdown()
            _reap()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def _reap() -> None:
    """Wait for what vLLM has just killed, which would stay behind as zombies."""
    for child in multiprocessing.active_children():
        if child.name.startswith(_CHILD):
            child.join(_JOIN_S)


def _check_names(engine_args: Mapping[str, Any]) -> None:
    try:
        from vllm import AsyncEngineArgs
    except ImportError as error:
        raise InputError(
            "the engine 'vllm' wants the package vllm, which cannot be imported "
            f"({error}); install it: pip install 'expertsynth[vllm]'"
        ) from error
    known = {field.name for field in dataclasses.fields(AsyncEngineArgs)}
    for name in engine_args:
        if name not in known:
            raise InputError(
                f"vLLM has no engine argument {name!r} (engine_args). {did_you_mean(name, known)}"
            )


def _params(asked: Mapping[str, Any]) -> Any:
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind, StructuredOutputsParams

    given = dict(asked)
    schema = given.pop("json_schema", None)
    if schema is not None:
        given["structured_outputs"] = StructuredOutputsParams(json=schema)
    return SamplingParams(**given, output_kind=RequestOutputKind.FINAL_ONLY)


def _ours(error: Exception) -> Exception:
    """Return what an exception of vLLM means for a run."""
    from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

    if isinstance(error, EngineDeadError):
        return EngineDown("vLLM's engine process has died; its log above says why. Run again.")
    said = " ".join(f"{type(error).__name__} {error}".split())[:300]
    if isinstance(error, EngineGenerateError):
        return Outage(f"server_error: vLLM failed: {error.__cause__ or said}")
    return CallFailed(f"refused: vLLM does not take the request: {said}")
