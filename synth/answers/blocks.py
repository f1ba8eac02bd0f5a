"""Fenced code blocks in what a model wrote, as CommonMark tells them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LINES = re.compile(r"[^\n]*\n|[^\n]+")
_OPENS = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^\n]*)")
_ALIASES = {
    "python": ("python", "py", "python3"),
    "javascript": ("javascript", "js", "node", "mjs", "cjs"),
}


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """One fenced block."""

    language: str
    """The first word after the fence, in lower case; "" if there is none."""
    code: str
    """What stands between the fences."""
    closed: bool = True
    """False where the text ends before the block does."""

    @staticmethod
    def all_in(text: str) -> tuple[CodeBlock, ...]:
        r"""Return the blocks of a text, in order.

        A fence is three or more backticks or tildes after at most three spaces; it ends at one of
        the same kind that is at least as long (CommonMark 0.31, section 4.5). Lines end in `\n`,
        a `\r` before that counts to the line's end too.
        """
        return tuple(_blocks(_LINES.findall(text.replace("\r\n", "\n"))))

    @staticmethod
    def only_in(text: str, language: str = "python") -> CodeBlock:
        """Return the block that is tagged with a language or with nothing, if there is only one.

        Raises ValueError, whose text is a reason: `no_code`, `several_blocks`, or `cut_off_code`
        where the text ends within it.
        """
        tags = (*_ALIASES.get(language, (language,)), "")
        found = [block for block in CodeBlock.all_in(text) if block.language in tags]
        found = [block for block in found if block.code.strip() or not block.closed]
        if not found:
            raise ValueError(f"no_code: the reply has no fenced block of {language}")
        if len(found) > 1:
            raise ValueError(f"several_blocks: the reply has {len(found)} blocks, not one")
        if not found[0].closed:
            raise ValueError("cut_off_code: the reply ends within its block")
        return found[0]


def _blocks(lines: Sequence[str]) -> Iterator[CodeBlock]:
    at = 0
    while at < len(lines):
        opening = _OPENS.match(lines[at])
        at += 1
        # Backticks after a fence of backticks make it a line of inline code.
        if opening is None or ("`" in opening["fence"] and "`" in opening["info"]):
            continue
        end = _end(lines, at, opening["fence"])
        closed = end < len(lines)
        words = opening["info"].split()
        indent = len(opening[0]) - len(opening[0].lstrip(" "))
        code = "".join(_outdented(line, indent) for line in lines[at:end])
        yield CodeBlock(words[0].lower() if words else "", code, closed)
        at = end + 1


def _end(lines: Sequence[str], start: int, fence: str) -> int:
    closes = re.compile(rf" {{0,3}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*\n?")
    for at in range(start, len(lines)):
        if closes.fullmatch(lines[at]):
            return at
    return len(lines)


def _outdented(line: str, indent: int) -> str:
    """Return a line without the spaces that its fence was indented by."""
    return line[min(indent, len(line) - len(line.lstrip(" "))) :]
