"""Whether a text stops in the middle of what it was saying.

No rule can know; these ask whether the last line ends as finished text does: a sentence with its
mark, a closed bracket, quote, fence or table row, an item of a list or a line of verse like those
before it.
"""

from __future__ import annotations

import re
import unicodedata

from . import markdown
from .words import words

_SENTENCE_ENDS = frozenset(".!?…。！？｡．؟۔।॥։።")
_CLOSERS = frozenset(")]}>\"'”’»›）］｝〉》」』】〕;$")
_WRAPPING = "*_~`\"'”’»›)]）」』】"
_DANGLING = frozenset(",，、:：-–—/\\([{（「『【“‘«‹+=&")
_RULE = re.compile(r"\s*([-*_=])(?:\s*\1){2,}\s*")
_ITEM = re.compile(r"\s*(?:[-*+•·‣–]|\(?\w{1,3}[.)])\s+")
_ROW = re.compile(r"\s*\|")
_HEADING = re.compile(r"\s*#{1,6}\s+(.*)")
_WHOLE_WORD = re.compile(r"\w+://\S+|[#@]\w+")
_LABELLED = re.compile(r"[^\W\d_][\w \-/()*]{0,38}[:：]\**\s+\S")
_SHORT_LINE = 60
_MARK_CATEGORIES = frozenset({"So", "Sk", "Mn", "Me", "Cf"})


def broken_off(text: str, *, short_words: int) -> str:
    """Return how the text breaks off, as a clause, or "" if it ends as finished text does.

    A text of at most `short_words` words needs no mark at its end. Known limits: a reply cut off
    between two sentences, two items or two lines of verse looks finished; a sentence of more than
    `short_words` words that its writer left without a full stop looks broken off.
    """
    parts = markdown.split(text)
    if parts.open_fence:
        return "a block of code is not closed"
    if parts.ends_in_fence:
        return ""
    lines = _without_rules(text)
    if not lines:
        return ""
    return _how_the_last_line_breaks(lines, short_words)


def _without_rules(text: str) -> list[str]:
    """Return the lines, right side stripped, without blank ones and horizontal rules at the end."""
    lines = [line.rstrip() for line in text.splitlines()]
    while lines and (not lines[-1] or _RULE.fullmatch(lines[-1])):
        lines.pop()
    return lines


def _how_the_last_line_breaks(lines: list[str], short_words: int) -> str:
    last = lines[-1]
    heading = _HEADING.fullmatch(last)
    if heading and not _is_number(heading[1]):
        return f"it ends with the heading {_tail(last)!r} and nothing under it"
    bare = _without_marks(last)
    if not bare or bare[-1] in _SENTENCE_ENDS or _closes(last):
        return ""
    if bare[-1] in _DANGLING:
        return f"it ends with {bare[-1]!r} after {_tail(bare[:-1])!r}"
    if _stands_alone(lines, short_words) or _ends_like_its_neighbours(lines):
        return ""
    return f"the last sentence has no end: {_tail(last)!r}"


def _without_marks(line: str) -> str:
    """Return the line without emoji, emphasis, closing quotes and brackets at its end."""
    end = len(line)
    while end and (
        line[end - 1] in _WRAPPING
        or line[end - 1].isspace()
        or unicodedata.category(line[end - 1]) in _MARK_CATEGORIES
    ):
        end -= 1
    return line[:end]


def _closes(line: str) -> bool:
    """Return whether the line ends with something closed: bracket, quote, table row, emoji."""
    plain = line.rstrip("*_~`")
    if not plain:
        return True
    row = plain.endswith("|") and _ROW.match(plain)
    return bool(row) or plain[-1] in _CLOSERS or unicodedata.category(plain[-1]) in _MARK_CATEGORIES


def _is_number(text: str) -> bool:
    return any(character.isdigit() for character in text) and len(text.split()) == 1


def _stands_alone(lines: list[str], short_words: int) -> bool:
    """Return whether the last line is whole without a mark: a short answer, a signature."""
    last = lines[-1]
    if _WHOLE_WORD.fullmatch(last.split()[-1]):
        return True
    if len(last) > _SHORT_LINE or len(words(last)) > short_words:
        return False
    before = [line for line in lines[:-1] if line]
    return not before or _introduces(before[-1]) or _has_value(last)


def _introduces(line: str) -> bool:
    """Return whether a short answer or a name may follow: `The capital is:`, `Best regards,`."""
    end = line.rstrip("*_ ")[-1:]
    return end in (":", "：") or (end in (",", "，") and len(words(line)) <= 3)


def _has_value(line: str) -> bool:
    """Return whether a line gives a value: `#### 42`, `x = 5`, `Answer: Paris`."""
    return line[-1].isdigit() or line[-1] in "%°€£¥" or "=" in line or bool(_LABELLED.match(line))


def _ends_like_its_neighbours(lines: list[str]) -> bool:
    """Return whether it is a row, an item, a line of verse or code, like others without a mark."""
    last = lines[-1]
    others = [line for line in lines[:-1] if line]
    if _ROW.match(last):
        return any(_ROW.match(line) and not line.endswith("|") for line in others)
    if _ITEM.match(last):
        return any(_ITEM.match(line) and _has_no_mark(line) for line in others)
    block = _last_block(lines)
    return len(last) <= _SHORT_LINE and any(
        len(line) <= _SHORT_LINE and _has_no_mark(line) for line in block[:-1]
    )


def _last_block(lines: list[str]) -> list[str]:
    start = len(lines)
    while start and lines[start - 1]:
        start -= 1
    return lines[start:]


def _has_no_mark(line: str) -> bool:
    """Return whether the line itself ends without the mark of a sentence or a clause."""
    return _without_marks(line)[-1:] not in _SENTENCE_ENDS | _DANGLING


def _tail(line: str) -> str:
    return line[-30:].lstrip()
