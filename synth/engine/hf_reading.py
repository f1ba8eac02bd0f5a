"""How a model of transformers reads: conversations to text, text to tokens, tokens to a border.

A prompt and its continuation are tokenised as one text and told apart by the places of characters.
Tokenised apart they would give other tokens than the model was trained on, wherever its tokenizer
merges across the border.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import TemplateError

from synth.engine.base import Chat, Prompted, Sampling, Text
from synth.engine.openai_wire import sendable
from synth.errors import CallFailed
from synth.record import Message


@dataclass(frozen=True, slots=True)
class Reading:
    """A tokenizer with its chat template. Nothing here may be called by two threads at once."""

    tokenizer: Any
    """A fast one of transformers: it tells the place of each token in the text."""
    template: str | None = None
    """A chat template in place of the tokenizer's own."""
    template_options: Mapping[str, Any] | None = None
    """Variables for the chat template."""

    def raw(self, prompt: Prompted, sampling: Sampling) -> Text:
        """Return the text that the model goes on from, prefill included."""
        prefill = sampling.prefill or ""
        if isinstance(prompt, Chat):
            return self.rendered(prompt.messages, prefill=prefill, tools=sampling.tools)
        if isinstance(prompt.text, str):
            return replace(prompt, text=prompt.text + prefill)
        added = self.tokens(Text(prefill, add_special_tokens=False)) if prefill else ()
        return replace(prompt, text=(*prompt.text, *added))

    def rendered(
        self,
        messages: Sequence[Message],
        *,
        prefill: str = "",
        tools: Sequence[Any] = (),
        reply_next: bool = True,
    ) -> Text:
        """Return `messages` as the chat template writes them. Raises CallFailed if it refuses."""
        if prefill:
            messages = [*messages, Message(role="assistant", content=prefill)]
        try:
            written = self.tokenizer.apply_chat_template(
                [dict(message) for message in sendable(messages)],
                tokenize=False,
                add_generation_prompt=reply_next and not prefill,
                continue_final_message=bool(prefill),
                chat_template=self.template,
                tools=list(tools) or None,
                **(self.template_options or {}),
            )
        except (TemplateError, TypeError, ValueError, KeyError) as error:
            raise CallFailed(f"chat_template_failed: {error}") from error
        return Text(written, add_special_tokens=False)

    def tokens(self, prompt: Text) -> Sequence[int]:
        """Return the token ids of a prompt."""
        if not isinstance(prompt.text, str):
            return prompt.text
        return self.tokenizer.encode(prompt.text, add_special_tokens=prompt.add_special_tokens)

    def tokens_and_border(self, prompt: Text, continuation: str) -> tuple[Sequence[int], int]:
        """Return the token ids of both as one text, and where the continuation's begin.

        A token that straddles the border is the continuation's; a special token that the tokenizer
        puts at the end of a text is left out. After a prompt of token ids the continuation is
        tokenised alone.
        """
        if not isinstance(prompt.text, str):
            added = self.tokens(Text(continuation, add_special_tokens=False))
            return (*prompt.text, *added), len(prompt.text)
        both = self.tokenizer(
            prompt.text + continuation,
            add_special_tokens=prompt.add_special_tokens,
            return_offsets_mapping=True,
        )
        border = len(prompt.text)
        inside = [place for place, (_, end) in enumerate(both["offset_mapping"]) if end > border]
        if not inside:
            return both["input_ids"], len(both["input_ids"])
        return both["input_ids"][: inside[-1] + 1], inside[0]

    def shown(self, token: int) -> str:
        """Return a token as text, a space before it included; U+FFFD for a piece of a character."""
        return self.tokenizer.backend_tokenizer.decode([token], skip_special_tokens=False)
