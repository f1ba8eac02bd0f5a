"""Sets of constraints that one answer can meet together, and how they are drawn."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from synth.errors import did_you_mean
from synth.record import JsonObject
from synth.stages.parts.constraint_words import FORBIDDEN, LANGUAGES, content_words
from synth.stages.parts.constraints import CATALOGUE, Taken, Values

# Of each line, an answer can meet at most one: what they say of its ends, its case, its parts or
# its words is contrary, or a checker of one counts what the other asks for.
_ONE_OF = (
    {"length_constraints:number_words", "length_constraints:number_sentences"},
    {
        "length_constraints:number_paragraphs",
        "length_constraints:nth_paragraph_first_word",
        "combination:two_responses",
    },
    {"length_constraints:nth_paragraph_first_word", "detectable_format:title"},
    {"length_constraints:nth_paragraph_first_word", "detectable_format:multiple_sections"},
    {
        "length_constraints:nth_paragraph_first_word",
        "detectable_content:postscript",
    },
    {"combination:two_responses", "detectable_format:number_bullet_lists"},
    {"startend:end_checker", "startend:quotation"},
    {"startend:end_checker", "detectable_content:postscript"},
    {
        "change_case:english_capital",
        "change_case:english_lowercase",
        "change_case:capital_word_frequency",
        "language:response_language",
    },
    *(
        {case, fixed}
        for case in ("change_case:english_capital", "change_case:english_lowercase")
        for fixed in ("startend:end_checker", "detectable_format:multiple_sections")
    ),
    {"change_case:english_lowercase", "detectable_content:postscript"},
    {"keywords:letter_frequency", "keywords:existence"},
    {"keywords:letter_frequency", "keywords:frequency"},
    *(
        {"language:response_language", english}
        for english in (
            "keywords:existence",
            "keywords:frequency",
            "keywords:forbidden_words",
            "keywords:letter_frequency",
            "length_constraints:nth_paragraph_first_word",
            "detectable_format:multiple_sections",
            "startend:end_checker",
        )
    ),
)
# These say what the whole answer is, or what its first part is: little fits beside them.
_FITS_BESIDE = {
    "detectable_format:constrained_response": {
        "keywords:forbidden_words",
        "startend:quotation",
        "punctuation:no_comma",
    },
    "detectable_format:json_format": {
        "keywords:existence",
        "keywords:frequency",
        "keywords:forbidden_words",
        "keywords:letter_frequency",
        "language:response_language",
        "length_constraints:number_words",
        "detectable_content:number_placeholders",
        "change_case:capital_word_frequency",
        "change_case:english_capital",
        "change_case:english_lowercase",
    },
    "combination:repeat_prompt": {
        "keywords:existence",
        "detectable_content:number_placeholders",
        "detectable_content:postscript",
        "detectable_format:number_highlighted_sections",
        "detectable_format:title",
        "startend:end_checker",
    },
}


@dataclass(frozen=True, slots=True)
class Constraint:
    """One constraint as it was drawn."""

    id: str
    """IFEval's name of its checker."""
    arguments: JsonObject
    """What the checker is given, by IFEval's names."""
    sentence: str
    """What the instruction says of it."""

    def as_json(self) -> dict[str, Any]:
        """Return what is stored: id and arguments."""
        return {"id": self.id, "arguments": dict(self.arguments)}

    def verbatim(self) -> tuple[str, ...]:
        """Return the texts that the instruction must name as they are."""
        texts = {
            name: value
            for name, value in self.arguments.items()
            if not isinstance(value, int) and not name.endswith("relation")
        }
        if "language" in texts:
            return (LANGUAGES[texts["language"]],)
        each = ([text] if isinstance(text, str) else text for text in texts.values())
        # A single letter stands in every text.
        return tuple(text for text in chain.from_iterable(each) if len(text) > 1)


def chosen_kinds(names: Sequence[str]) -> tuple[str, ...]:
    """Return the ids for names of constraints or of their groups (`keywords`); all if empty.

    Raises ValueError that names the nearest known name.
    """
    groups = {kind.partition(":")[0] for kind in CATALOGUE}
    for name in names:
        if name not in CATALOGUE and name not in groups:
            hint = did_you_mean(name, [*CATALOGUE, *groups])
            raise ValueError(f"no constraint or group of constraints {name!r}. {hint}")
    wanted = set(names)
    return tuple(
        kind
        for kind in sorted(CATALOGUE)
        if not names or kind in wanted or kind.partition(":")[0] in wanted
    )


def fit(one: str, other: str) -> bool:
    """Return whether one answer can meet both constraints, whatever their arguments are."""
    if one == other or any(one in line and other in line for line in _ONE_OF):
        return False
    pairs = ((one, other), (other, one))
    return all(b in _FITS_BESIDE[a] for a, b in pairs if a in _FITS_BESIDE)


def drawn_kinds(kinds: Sequence[str], number: int, rng: random.Random) -> list[str]:
    """Return `number` kinds that fit each other, or as many as do.

    The first is drawn evenly from all that `number` can be made with, each further one evenly from
    those that fit the ones before.
    """
    return _completed([], sorted(kinds), number, rng)


def _completed(
    drawn: list[str], fitting: Sequence[str], number: int, rng: random.Random
) -> list[str]:
    best = drawn
    if len(drawn) == number:
        return drawn
    for kind in rng.sample(fitting, len(fitting)):
        rest = [other for other in fitting if fit(kind, other)]
        found = _completed([*drawn, kind], rest, number, rng)
        if len(found) == number:
            return found
        best = max(best, found, key=len)
    return best


def usable_kinds(kinds: Iterable[str], instruction: str) -> list[str]:
    """Return those of `kinds` for which the instruction has what their arguments are made of."""
    if content_words(instruction):
        return list(kinds)
    return [kind for kind in kinds if not _takes_words(kind)]


def _takes_words(kind: str) -> bool:
    taken = chain.from_iterable(form.arguments.values() for form in CATALOGUE[kind])
    return any(values in (Taken.WORD, Taken.WORDS) for values in taken)


def drawn_constraint(kind: str, instruction: str, rng: random.Random) -> Constraint:
    """Return a constraint of a kind, its form, its arguments and its wording drawn evenly."""
    form = rng.choice(CATALOGUE[kind])
    arguments = {
        name: _drawn_value(values, instruction, rng) for name, values in form.arguments.items()
    }
    names = {name: _shown(name, value) for name, value in arguments.items()}
    return Constraint(kind, arguments, rng.choice(form.sentences).format(**names))


def _drawn_value(values: Values, instruction: str, rng: random.Random) -> Any:
    match values:
        case Taken.REQUEST:
            return instruction
        case Taken.WORD:
            return rng.choice(content_words(instruction))
        case Taken.WORDS:
            return _some(content_words(instruction), rng)
        case Taken.AVOIDED:
            return _some(FORBIDDEN, rng)
        case _:
            return rng.choice(values)


def _some(words: Sequence[str], rng: random.Random) -> list[str]:
    return rng.sample(words, rng.randint(1, min(3, len(words))))


def _shown(name: str, value: Any) -> str:
    """Return an argument as people read it."""
    if isinstance(value, list):
        quoted = [f'"{word}"' for word in value]  # pyright: ignore[reportUnknownVariableType]
        return ", ".join(quoted)
    if name == "language":
        return LANGUAGES[value]
    quoted = name in {"keyword", "letter", "first_word", "end_phrase", "postscript_marker"}
    return f'"{value}"' if quoted else str(value)
