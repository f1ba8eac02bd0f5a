r"""Where a reply says what its final answer is: `\boxed{…}`, `#### …`, `Answer: …`.

Of several marks the last counts: who corrects himself says the answer again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

_BRACE = re.compile(r"(?P<box>\\(?:boxed|fbox)\s*\{)|\\.|[{}]", re.DOTALL)
_HASHES = re.compile(r"^[ \t]*####[ \t]*(?P<answer>.*)$", re.MULTILINE)
_OPTION = re.compile(r"^[ \t]*[B-J][:：]", re.MULTILINE)  # then `A:` is an option, not the answer
_THOUGHTS = re.compile(r"<(think|thinking|reasoning)>.*?</\1>", re.DOTALL)
_EMPHASIS = "*_` \t"
_QUOTES = re.compile(r"""\A["'“”„«»`*_\s]+|["'“”«»`*_\s]+\Z""")


Found = tuple[str, bool]
"""The text of an answer, and whether it stood in a LaTeX box."""


def last_mark(reply: str, words: Sequence[str]) -> Found | None:
    """Return the answer after the last mark, or None; see `Answer.marked_in`."""
    reply = _without_thoughts(reply)
    found = [*_boxes(reply), *_after_hashes(reply), *_after_words(reply, words)]
    return max(found, key=lambda one: one[0])[1] if found else None


def _without_thoughts(reply: str) -> str:
    """Return a reply without its thinking in tags, where answers are only tried out."""
    end = reply.rfind("</")  # beyond it no thought ends: looking for one again and again takes long
    return _THOUGHTS.sub("\n", reply[: end + 20]) + reply[end + 20 :] if end >= 0 else reply


def _boxes(reply: str) -> Iterator[tuple[int, Found]]:
    opened: list[re.Match[str]] = []
    for brace in _BRACE.finditer(reply):
        if brace[0] == "{" or brace["box"]:
            opened.append(brace)
        elif brace[0] == "}" and opened and (box := opened.pop())["box"]:
            yield box.start(), (reply[box.end() : brace.start()].strip(), True)


def _after_hashes(reply: str) -> Iterator[tuple[int, Found]]:
    for found in _HASHES.finditer(reply):
        yield found.start(), (plain(found["answer"]), False)


def _after_words(reply: str, words: Sequence[str]) -> Iterator[tuple[int, Found]]:
    letters = [word for word in words if len(word) == 1 and not _OPTION.search(reply)]
    longer = [word for word in words if len(word) > 1]
    if letters or longer:
        begins = rf"^[ \t>#*_\-]*(?:the[ \t]+)?(?:{_any_of((*letters, *longer))})[ \t*_]*[:：]"
        rest = r"[ \t*_]*(?:(?P<answer>\S.*)|\n+(?P<below>.+))?"
        for found in re.finditer(begins + rest, reply, re.MULTILINE | re.IGNORECASE):
            answer = found["answer"] or found["below"] or ""
            yield found.start(), (plain(answer), False)
    if longer:
        says = rf"\b(?:{_any_of(longer)})[ \t]+is[ \t]*:?[ \t]*(?P<answer>\S.*)"
        for found in re.finditer(says, reply, re.IGNORECASE):
            yield found.start(), (plain(_first_sentence(found["answer"])), False)


def _any_of(words: Sequence[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", text, maxsplit=1)[0]


def plain(text: str) -> str:
    """Return an answer without quotation marks, emphasis and a full stop around it."""
    return _QUOTES.sub("", _QUOTES.sub("", text.strip(_EMPHASIS)).rstrip(".。 ")).strip()
