"""Make logs of real chats fit for training: Markdown, whole rounds, pieces below a limit."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar

from pydantic import Field, field_validator

from synth.record import Message, Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.chat_turns import Chat, Round, blocked, in_order
from synth.tokens import TokenizerFile, count_tokens

_TOKENS_A_TURN = 6
_BYTES_A_TOKEN = 3


class CleanChats(Stage):
    """Turn a logged chat into clean pieces of at most `max_tokens`, each of whole rounds.

    Each turn becomes Markdown, without buttons ("Copy code") and counters of the page. A turn
    before the user's first and a last turn of the user's are left out. Then user and assistant must
    take turns and say something; the first turn that does not breaks the chat, and so does one that
    the seeds could not read (their field `broken_turn`). Rounds are put together, in order, as long
    as they fit; each piece is a child with the fields `piece` (from 1) and `left_out` (how many
    turns were). A system's turn at the beginning opens every piece. No turn is ever cut.

    Dropped with their reasons: `blocked_word`, `broken_turn` (with `before_broken: true` a child
    that holds the rest, while the rounds before go on), `too_short` (no whole round), and as a
    child `round_too_long` (one round beyond the limit).

    Not done here: duplicates (`near_duplicates` with `of: all`), languages (`tag`), repeated digits
    and lists that begin again (`pattern`).

    Method: the data cleaning that is published with Chiang et al., "Vicuna: An Open-Source Chatbot
    Impressing GPT-4 with 90% ChatGPT Quality" (2023), in FastChat. That converts every text as if
    it were HTML, which swallows `<stdio.h>`; here only turns with a known tag are. Its splitter
    loses a last round that does not fit; here it is a piece of its own.
    """

    name: ClassVar[str] = "clean_chats"
    takes_broken: ClassVar[bool] = True

    max_tokens: int = Field(default=2048, ge=1)
    """Most tokens of a piece, with six for each turn's template."""
    tokenizer: TokenizerFile | None = None
    """A tokenizer.json, or a folder that holds one; needs the package tokenizers. Without it a
    token counts as three bytes of UTF-8, which is more than there are in most texts."""
    html: bool = True
    """Whether turns may be HTML. Say `false` where chats are about HTML and written in Markdown."""
    blocked: tuple[str, ...] = ("openai", "chatgpt")
    """A chat with one of these anywhere, in any case of letters, is dropped; `[]` blocks none."""
    before_broken: bool = False
    """Whether the rounds before a broken turn are kept; as published, the whole chat is dropped."""

    @field_validator("blocked")
    @classmethod
    def _words_say_something(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        if not all(word.strip() for word in words):
            raise ValueError("an empty word would block every chat; leave it out")
        return words

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the pieces of a chat, or the record dropped with the reason."""
        if not record.messages:
            raise ValueError("nothing_to_clean: the record holds no chat")
        return await asyncio.to_thread(self.pieces, record, services.label)

    def pieces(self, record: Record, label: str) -> list[Record]:
        """Return what becomes of a chat."""
        if found := blocked(record.messages, self.blocked):
            return [_dropped(record, label, f"blocked_word: {found}")]
        chat = in_order(record.messages, html=self.html)
        problem = chat.problem or str(record.fields.get("broken_turn") or "")
        if problem and not (self.before_broken and chat.rounds):
            return [_dropped(record, label, f"broken_turn: {problem}")]
        if not chat.rounds:
            said = f"{len(record.messages)} turns, wants one of the user and a reply"
            return [_dropped(record, label, f"too_short: {said}")]
        made = list(self._children(record, chat, label))
        if problem:
            rest = record.child(label, len(made), messages=chat.rest)
            made.append(_dropped(rest, label, f"broken_turn: {problem}"))
        return made

    def _children(self, record: Record, chat: Chat, label: str) -> Iterator[Record]:
        for number, rounds in enumerate(self._split(chat)):
            messages = [*chat.head, *(turn for pair in rounds for turn in pair)]
            fields: dict[str, Any] = {"piece": number + 1, "left_out": chat.left_out}
            child = record.child(label, number, messages=messages, fields=fields)
            if (tokens := self._tokens(messages)) > self.max_tokens:
                said = f"a round of {tokens} tokens, wants at most {self.max_tokens}"
                child = _dropped(child, label, f"round_too_long: {said}")
            yield child

    def _split(self, chat: Chat) -> Iterator[list[Round]]:
        """Yield the rounds of each piece; one that is too long by itself is alone."""
        head = self._tokens(chat.head)
        piece: list[Round] = []
        total = head
        for pair in chat.rounds:
            tokens = self._tokens(pair)
            if piece and total + tokens > self.max_tokens:
                yield piece
                piece, total = [], head
            piece.append(pair)
            total += tokens
        yield piece

    def _tokens(self, messages: Iterable[Message]) -> int:
        return sum(self._length(message["content"]) + _TOKENS_A_TURN for message in messages)

    def _length(self, text: str) -> int:
        if self.tokenizer is None:
            return -(-len(text.encode()) // _BYTES_A_TOKEN)
        return count_tokens(text, self.tokenizer)


def _dropped(record: Record, label: str, reason: str) -> Record:
    return record.drop("filter", by=label, reason=reason)
