"""Who says what in a dialogue: transcripts cut into exchanges, replies cut to one role's words."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import Literal

from synth.stages.parts.replies import MalformedError

Role = Literal["user", "assistant"]
HUMAN, AI = "[Human]", "[AI]"
_NAMES = {"user": "human|user", "assistant": "ai|assistant"}
_TAG = re.compile(
    r"^[ \t]*(?:\[(human|user|ai|assistant)\]:?|(?:[#*]+[ \t]*)?(human|user|ai|assistant)[*]*:[*]*"
    r"|<\|(?:im_start\|>)?(user|assistant)(?:\|>)?)[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)
_FENCED = re.compile(r"^```.*?(?:^```|\Z)", re.MULTILINE | re.DOTALL)
_LIKE_AN_ASSISTANT = re.compile(
    r"\bas an ai\b[^.?!,\n]{0,40},\s{0,9}i\b|\bhow (?:can|may) i (?:help|assist) you\b"
    r"|\bi(?:'m| am) an? (?:ai|virtual)\b"
    r"|\bi(?:'m| am) here to (?:help|assist)\b",
    re.IGNORECASE,
)

_AROUND_TAG = re.compile(r"[*_#]{0,6}[ \t]{0,3}\[(human|ai)\][*_]{0,3}:?[*_]{0,3}", re.IGNORECASE)
_ENDS = r"(?:[.!]+\s*|\n\s*|\Z)"
_POLITE = {
    "user": re.compile(
        r"(?:(?:oh|ok(?:ay)?|great|perfect|wonderful)[,!. ]{1,3})?"
        r"(?:thank you|(?:many )?thanks)\b[^.!?,\n]{0,80}"
        rf"(?:, (?:that|this) (?:is|was|helps|helped)[^.!?,\n]{{0,40}})?{_ENDS}",
        re.IGNORECASE,
    ),
    # Thanks may be what an assistant was asked for, and "you're welcome to …" is an offer.
    "assistant": re.compile(rf"you(?:'|’| a)re (?:very |most )?welcome{_ENDS}", re.IGNORECASE),
}


def drawn(options: Sequence[str], rng: random.Random) -> str:
    """Return one of `options`, each as likely as any other; empty if there are none."""
    return rng.choice(options) if options else ""


def without_politeness(text: str, role: Role) -> str:
    """Return a message without the user's mere thanks, the assistant's "welcome", at its beginning.

    Empty if it says nothing else. A sentence of thanks that goes on to something else stays.
    """
    start = 0
    while start < len(text) and (polite := _POLITE[role].match(text, start)):
        start = polite.end()
    return text[start:]


def tidied(transcript: str) -> str:
    """Return a transcript with its tags as they were asked for: no emphasis, colon, small case."""
    return _AROUND_TAG.sub(lambda tag: HUMAN if tag[1].lower() == "human" else AI, transcript)


def exchanges(transcript: str, *, keep_last: bool = True) -> list[tuple[str, str]]:
    """Return what the human asked and the AI said, pair by pair, up to the first malformed one.

    Cut at `[Human]`; what stands before the first is left out. A piece is well formed if it has
    exactly one `[AI]` with words on both sides. Without `keep_last` the last piece does not count,
    whatever it holds.
    """
    pieces = transcript.split(HUMAN)[1:]
    found: list[tuple[str, str]] = []
    for piece in pieces if keep_last else pieces[:-1]:
        asked, *said = (part.strip() for part in piece.split(AI))
        if len(said) != 1 or not asked or not said[0]:
            break
        found.append((asked, said[0]))
    return found


def own_words(text: str, role: Role) -> tuple[str, bool]:
    """Return what `role` itself says in a reply, and whether the rest was cut off.

    A tag of its own role at the start is taken away; from any later line that begins with a role's
    tag on, all is cut. Lines in fenced code are no tags. Raises MalformedError if a reply begins
    with the other role's tag, or holds no words of its own.
    """
    # Code is hidden behind as many characters, so that places stay what they are.
    tags = [*_TAG.finditer(_FENCED.sub(lambda block: "`" * len(block[0]), text))]
    start = 0
    if tags and not text[: tags[0].start()].strip():
        first = tags.pop(0)
        if _role_of(first) != role:
            raise MalformedError(f"role_leak: wanted the {role}'s words, found the other role's")
        start = first.end()
    end = tags[0].start() if tags else len(text)
    if not (own := text[start:end].strip()):
        raise MalformedError(f"empty_turn: the {role} said nothing")
    return own, bool(tags)


def _role_of(tag: re.Match[str]) -> Role:
    named = next(name for name in tag.groups() if name)
    return "user" if re.fullmatch(_NAMES["user"], named, re.IGNORECASE) else "assistant"


def speaks_like_an_assistant(text: str) -> bool:
    """Return whether a message offers help, or calls itself an AI: no user does."""
    return bool(_LIKE_AN_ASSISTANT.search(text))
