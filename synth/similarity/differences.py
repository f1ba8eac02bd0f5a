"""Small differences between two texts that change what is said: embeddings hardly see them.

"For 2 people" and "for 12 people", "with meat" and "without meat", "from Vienna to Budapest" and
back lie closer together, as vectors, than most pairs that do mean the same. So what two texts have
in common is left to vectors, and what little sets them apart is looked at word by word.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal

Difference = Literal["numbers", "negation", "opposite", "order", "replaced"]
"""`numbers`: each names one that the other does not. The rest is of nearly the same words.
`negation`: only one denies. `opposite`: one says the contrary. `order`: two words have changed
places. `replaced`: one word stands for another."""

_NEARLY_THE_SAME = 0.6
_ARTICLES = frozenset({"a", "an", "the"})
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*|[−+=<>*/^-]")
_COUNTED = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty"
)
_ORDINAL = "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
_NUMBERS = {
    **{word: str(number) for number, word in enumerate(_COUNTED.split()) if number != 1},
    **{word: str(number) for number, word in enumerate(_ORDINAL.split(), 1) if number > 2},
    "hundred": "100",
    "thousand": "1000",
}
_DENYING = "not no never without cannot nothing nobody none neither nor avoid"
_DENIALS = frozenset(_DENYING.split())
_CONTRARY = """
above/below accept/reject active/passive add/remove advantage/disadvantage
advantages/disadvantages after/before against/for allow/forbid arrival/departure
ascending/descending asleep/awake back/front best/worst big/small bottom/top buy/sell
cheap/expensive close/open cold/hot compress/decompress cons/pros create/delete day/night
decode/encode decrease/increase decrypt/encrypt deflation/inflation difficult/easy
disable/enable down/up download/upload employee/employer even/odd exclude/include export/import
external/internal fall/rise false/true fast/slow female/male first/last future/past gain/lose
hard/soft higher/lower horizontal/vertical illegal/legal impossible/possible indoor/outdoor
input/output inside/outside largest/smallest left/right legal/illegal less/more longer/shorter
lose/win loss/profit lower/raise max/min maximum/minimum multiply/divide negative/positive
new/old newest/oldest off/on over/under plural/singular private/public pull/push read/write
rich/poor shorten/lengthen start/stop strong/weak summer/winter thick/thin tighten/loosen
young/old
"""
_OPPOSITES = {frozenset(both.split("/")) for both in _CONTRARY.split()}
_FILLING = (
    "please me my your you i can could would should do does is are be to of for in on at "
    "and or it this that these those what which how there some any s 's kindly give tell"
)
_FILLERS = frozenset(_FILLING.split())


def difference(one: str, other: str) -> Difference | None:
    """Return what sets two texts apart that may look alike, or None if nothing of that kind does.

    Numbers are compared in any text, those written as English words too. The rest is asked only of
    texts that share most of their words (a Dice coefficient of 0.6 or more): where the wording is
    another, single words prove nothing. Denials and filler words are English.
    """
    mine, others = _words(one), _words(other)
    if _numbers_differ(mine, others):
        return "numbers"
    first, second = Counter(mine), Counter(others)
    if _dice(first, second) < _NEARLY_THE_SAME:
        return None
    return _among_nearly_the_same(mine, others)


def _among_nearly_the_same(mine: list[str], others: list[str]) -> Difference | None:
    left, right = Counter(mine) - Counter(others), Counter(others) - Counter(mine)
    if _denials(left) % 2 != _denials(right) % 2:
        return "negation"
    if any(frozenset((one, other)) in _OPPOSITES for one in left for other in right):
        return "opposite"
    if not left and not right:
        return "order" if _swapped(mine, others) else None
    return "replaced" if _content(left) and _content(right) else None


def _words(text: str) -> list[str]:
    spelled_out = text.casefold().replace("n't", " not").replace("n’t", " not")
    tokens: list[str] = _TOKEN.findall(spelled_out)
    return [_NUMBERS.get(token, token) for token in tokens if token not in _ARTICLES]


def _numbers_differ(mine: list[str], others: list[str]) -> bool:
    first = {word for word in mine if word[0].isdigit()}
    second = {word for word in others if word[0].isdigit()}
    return bool(first - second) and bool(second - first)


def _dice(first: Counter[str], second: Counter[str]) -> float:
    size = first.total() + second.total()
    return 2 * (first & second).total() / size if size else 0.0


def _denials(words: Counter[str]) -> int:
    return sum(count for word, count in words.items() if word in _DENIALS)


def _content(words: Counter[str]) -> set[str]:
    return set(words) - _FILLERS


def _swapped(mine: list[str], others: list[str]) -> bool:
    """Whether the same words stand in another order, other than by moving the front to the end."""
    twice = mine + mine
    size = len(mine)
    return not any(twice[start : start + size] == others for start in range(size or 1))
