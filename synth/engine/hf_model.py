"""What both engines of transformers share: which model, how it is held, and who computes."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from pydantic import Field, JsonValue, PrivateAttr

from synth.engine.base import Engine
from synth.engine.chat_template import has_no_template
from synth.engine.hf_running import Running, budget_of
from synth.engine.hf_weights import Dtype, Kind, Wanted
from synth.engine.weights import ModelName
from synth.errors import EngineRefused
from synth.frozen import RecipeFile
from synth.record import Message


class HfModel(Engine):
    """An engine whose model transformers loads, in this process, on a GPU or the CPU.

    Code that comes with a model is never run. Computing is not broken off: `timeout_s` does not
    apply.
    """

    knobs: ClassVar[frozenset[str]] = Engine.knobs | {"device", "batch_tokens"}
    kind: ClassVar[Kind]
    """With which head the model is loaded."""

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
    dtype: Dtype | None = None
    """How weights are held: by default `bfloat16` on a GPU, `float32` on the CPU."""
    device: str | None = None
    """Such as `cpu` or `cuda:1`; by default the first GPU if there is one."""
    batch_tokens: int | None = Field(default=None, ge=1)
    """Tokens that are computed at once; by default 512 on the CPU and 16,384 on a GPU."""

    _running: Running | None = PrivateAttr(None)

    def lacking(self) -> dict[str, str]:
        """Return that it cannot show a chat where the model's folder holds no chat template."""
        folder = Path(self.tokenizer or self.model)
        if self.chat_template is not None or not has_no_template(folder):
            return {}
        why = f"the folder {folder.name!r} holds no chat template; name a file as `chat_template`"
        return {"chat_text": why}

    async def start(self) -> None:
        """Load the model: seconds to minutes.

        Raises InputError if torch or transformers is missing, EngineRefused if the model is.
        """
        wanted = Wanted(
            self.kind, self.model, self.revision, self.tokenizer, self.dtype, self.device
        )
        template = self.chat_template.read_text("utf-8") if self.chat_template else None
        running = await Running.started(
            wanted, template=template, template_options=self.template_options
        )
        await self._begin(running, self.batch_tokens or budget_of(running.loaded.device))
        self._running = running

    @abstractmethod
    async def _begin(self, running: Running, budget: int) -> None:
        """Make ready what computes, in batches of so many tokens."""

    async def close(self) -> None:
        """Cancel what waits and let go of the model."""
        running, self._running = self._running, None
        if running is not None:
            await running.close()

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` as the model's chat template writes them."""
        return await self._at_work().chat_text(messages, reply_next=reply_next)

    def _at_work(self) -> Running:
        if self._running is None:
            raise EngineRefused(
                f"the engine {self.name!r} was asked before it was started, or after it was closed"
            )
        return self._running
