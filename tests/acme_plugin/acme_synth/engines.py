"""An engine that says what it hears."""

from __future__ import annotations

from typing import ClassVar

from synth import Chat, Completion, Engine, Origin, Sampling, Text


class Parrot(Engine):
    """Completes each prompt with its last message, `times` times."""

    name: ClassVar[str] = "parrot"

    times: int = 1
    """How often it says it."""

    async def complete(self, prompt: Chat | Text, sampling: Sampling, origin: Origin) -> Completion:
        """Return the last message, or the raw text."""
        heard = prompt.messages[-1]["content"] if isinstance(prompt, Chat) else str(prompt.text)
        return Completion(" ".join([heard] * self.times))
