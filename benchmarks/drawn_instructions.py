"""Instructions as a model might write them, drawn by a grammar with a seed: no two runs differ.

Sentences come from a few frames, as they do where one model writes thousands, and what fills them
from a long-tailed vocabulary of made-up words. One in seven repeats an earlier one with up to a
third of the words changed; a third is too like one of 50,000 others (ROUGE-L above 0.7).
"""

from __future__ import annotations

import random
from collections.abc import Iterator

_OPENINGS = (
    "Write a {} about a {} that meets a {} in the {}",
    "Explain in simple words how a {} differs from a {}",
    "Given a table of {} and {}, find the {} with the most {}",
    "Translate the following {} text about {} and {} into plain English",
    "Make a list of {} for somebody who wants to learn about {}",
    "Classify each {} below as {}, {} or neither",
    "Draft a polite letter to the {} of the {} and ask for a {}",
    "Summarize the history of the {} from the first {} to the {} of today",
    "Write a function that takes a list of {} and returns every {}",
    "Tell me which {} I should visit when I travel to {} with a {}",
    "Compare the {} of {} with the {} of {}",
    "What would happen if the {} of a {} were made of {}",
)
_CLAUSES = (
    "and give at least three examples of {}",
    "use no more than {} words",
    "keep the tone of a {}",
    "and say why the {} matters for the {}",
    "make sure that every {} is mentioned once",
    "do not use the word {}",
    "and end with a question about {}",
    "the reader is a {} who knows nothing of {}",
    "show your steps from the {} to the {}",
    "the answer should be a {} of {} lines",
    "if there is no {}, say so and name a {}",
    "then rewrite it for a {}",
)
_SYLLABLES = tuple(a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "or"))
_REPEATS = 0.15
_MOST_CHANGED = 0.33


def instructions(count: int, *, seed: int = 0) -> list[str]:
    """Return so many instructions, of 23 words in the mean; most have 15 to 38."""
    rng = random.Random(seed)
    made: list[str] = []
    for _ in range(count):
        if made and rng.random() < _REPEATS:
            made.append(_changed(rng, rng.choice(made)))
        else:
            made.append(_sentence(rng))
    return made


def _sentence(rng: random.Random) -> str:
    clauses = rng.choices(_CLAUSES, k=min(9, int(rng.expovariate(1.6))))
    parts = [rng.choice(_OPENINGS), *clauses]
    return ", ".join(part.format(*_names(rng)) for part in parts) + "."


def _changed(rng: random.Random, text: str) -> str:
    words = text.split()
    for place in rng.sample(range(len(words)), int(rng.random() * _MOST_CHANGED * len(words))):
        words[place] = _name(rng)
    return " ".join(words)


def _names(rng: random.Random) -> Iterator[str]:
    """Yield what fills the gaps of a frame: two to five words each."""
    for _ in range(4):
        yield " ".join(_name(rng) for _ in range(rng.randint(2, 5)))


def _name(rng: random.Random) -> str:
    """Return a made-up word; the n-th most frequent one is drawn about 1/n as often."""
    rest = int(40_000 ** rng.random())
    word = ""
    while rest or not word:
        rest, syllable = divmod(rest, len(_SYLLABLES))
        word += _SYLLABLES[syllable]
    return word
