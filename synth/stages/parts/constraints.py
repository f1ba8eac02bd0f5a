"""The catalogue of checkable constraints, as data: what each says, and what its arguments may be.

Ids and names of arguments are those of IFEval's checkers, so that these can run on our rows; the
sentences are our own. Which constraints go together stands in `constraint_sets`.

Source: Zhou et al., "Instruction-Following Evaluation for Large Language Models" (2023), table 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from synth.stages.parts.constraint_words import (
    COMMON_LETTERS,
    END_PHRASES,
    LANGUAGES,
    MARKERS,
    RARE_LETTERS,
)


class Taken(Enum):
    """Where an argument comes from that is no number and stands in no short list."""

    WORD = "one content word of the instruction"
    WORDS = "one to three content words of the instruction"
    AVOIDED = "one to three words that any answer can do without"
    REQUEST = "the instruction itself"


Values = range | tuple[str, ...] | Taken
"""What an argument is drawn from, each value as likely as any other."""


@dataclass(frozen=True, slots=True)
class Form:
    """One way to put a constraint."""

    sentences: tuple[str, ...]
    """The same in other words; `{name}` stands for an argument as people read it."""
    arguments: dict[str, Values] = field(default_factory=dict[str, Values])
    """Argument to what it is drawn from."""


def _form(*sentences: str, **arguments: Values) -> Form:
    return Form(sentences, arguments)


def _counted(noun: str, number: str, at_least: range, fewer: range, relation: str) -> list[Form]:
    """Return the two forms of a constraint that bounds how many there are of something."""
    bounds: list[tuple[str, str, range]] = [
        ("at least", "at least", at_least),
        ("fewer than", "less than", fewer),
    ]
    return [
        _form(
            f"Use {said} {{{number}}} {noun}.",
            f"The answer must have {said} {{{number}}} {noun}.",
            **{relation: (bound,), number: values},
        )
        for said, bound, values in bounds
    ]


# The bounds leave room for what other constraints ask: eight sentences hold five paragraphs, and a
# hundred words the fifteen times that a common letter must come up.
CATALOGUE: dict[str, list[Form]] = {
    "keywords:existence": [
        _form(
            "Use {keywords} in your answer.",
            "The answer must contain {keywords}.",
            keywords=Taken.WORDS,
        )
    ],
    "keywords:frequency": [
        _form(
            "Use the word {keyword} at least {frequency} times.",
            "The word {keyword} must come up at least {frequency} times.",
            relation=("at least",),
            frequency=range(2, 5),
            keyword=Taken.WORD,
        ),
        _form(
            "Use the word {keyword} fewer than {frequency} times.",
            "The word {keyword} must come up fewer than {frequency} times.",
            relation=("less than",),
            frequency=range(3, 7),
            keyword=Taken.WORD,
        ),
    ],
    "keywords:forbidden_words": [
        _form(
            "Avoid {forbidden_words} in your answer.",
            "Keep {forbidden_words} out of the answer.",
            forbidden_words=Taken.AVOIDED,
        )
    ],
    "keywords:letter_frequency": [
        _form(
            "Let the letter {letter} appear at least {let_frequency} times.",
            "The answer must have the letter {letter} at least {let_frequency} times.",
            let_relation=("at least",),
            letter=COMMON_LETTERS,
            let_frequency=range(5, 16),
        ),
        _form(
            "Let the letter {letter} appear fewer than {let_frequency} times.",
            "The answer must have the letter {letter} fewer than {let_frequency} times.",
            let_relation=("less than",),
            letter=RARE_LETTERS,
            let_frequency=range(5, 13),
        ),
    ],
    "language:response_language": [
        _form(
            "Answer in {language} only.",
            "Write the whole answer in {language}, and nothing in another language.",
            language=tuple(LANGUAGES),
        )
    ],
    "length_constraints:number_words": _counted(
        "words", "num_words", range(50, 301, 10), range(100, 501, 10), "relation"
    ),
    "length_constraints:number_sentences": _counted(
        "sentences", "num_sentences", range(3, 13), range(8, 21), "relation"
    ),
    "length_constraints:number_paragraphs": [
        _form(
            "Write {num_paragraphs} paragraphs, with a line of *** between one and the next.",
            "Give the answer {num_paragraphs} paragraphs, parted by the markdown divider ***.",
            num_paragraphs=range(2, 6),
        )
    ],
    "length_constraints:nth_paragraph_first_word": [
        _form(
            "Write {num_paragraphs} paragraphs with an empty line between one and the next; "
            "paragraph {nth_paragraph} begins with the word {first_word}.",
            "Have {num_paragraphs} paragraphs, parted by empty lines and nothing else, and let "
            "paragraph {nth_paragraph} begin with the word {first_word}.",
            num_paragraphs=range(3, 6),
            nth_paragraph=range(1, 4),
            first_word=Taken.WORD,
        )
    ],
    "detectable_content:number_placeholders": [
        _form(
            "Leave blanks to fill in, at least {num_placeholders} in all, each in square "
            "brackets like [name].",
            "Have placeholders in square brackets, like [date], at least {num_placeholders} of "
            "them.",
            num_placeholders=range(1, 5),
        )
    ],
    "detectable_content:postscript": [
        _form(
            "Add a postscript that begins with {postscript_marker}.",
            "After all else append a note that begins with {postscript_marker}.",
            postscript_marker=("P.S.", "P.P.S"),
        )
    ],
    "detectable_format:number_bullet_lists": [
        _form(
            "Use exactly {num_bullets} markdown bullets, each a line that begins with *.",
            "Have {num_bullets} bullet points, no more and no fewer, as lines that begin with *.",
            num_bullets=range(2, 7),
        )
    ],
    "detectable_format:constrained_response": [
        _form(
            'Answer by one of these: "My answer is yes.", "My answer is no.", "My answer is maybe."'
        )
    ],
    "detectable_format:number_highlighted_sections": [
        _form(
            "Highlight passages with markdown, *like this*: at least {num_highlights} of them.",
            "Have passages between asterisks, *like this*, at least {num_highlights} in all.",
            num_highlights=range(1, 5),
        )
    ],
    "detectable_format:multiple_sections": [
        _form(
            "Divide the answer into {num_sections} sections, headed {section_spliter} 1 to "
            "{section_spliter} {num_sections}.",
            "Use {num_sections} sections; each begins with {section_spliter} and its number, as "
            "in {section_spliter} 1.",
            section_spliter=MARKERS,
            num_sections=range(2, 5),
        )
    ],
    "detectable_format:json_format": [
        _form(
            "Give the whole answer as JSON.",
            "The answer must be one JSON value, with nothing before or after it.",
        )
    ],
    "detectable_format:title": [
        _form(
            "Give the answer a title in double angle brackets, like <<a title>>.",
            "The answer must have a title, written as <<title>>.",
        )
    ],
    "combination:two_responses": [
        _form(
            "Give two different answers, with ****** between them and nowhere else.",
            "Answer twice, not the same, and part the answers by ****** alone.",
        )
    ],
    "combination:repeat_prompt": [
        _form(
            "First repeat the request above word for word, then answer it.",
            "Begin with a copy of the request above, every word as it is; the answer follows.",
            prompt_to_repeat=Taken.REQUEST,
        )
    ],
    "startend:end_checker": [
        _form(
            "End with exactly these words and nothing after them: {end_phrase}",
            "The last words of the answer must be these: {end_phrase}",
            end_phrase=END_PHRASES,
        )
    ],
    "startend:quotation": [
        _form(
            "Put the whole answer between double quotation marks.",
            "Begin and end the answer with a double quotation mark.",
        )
    ],
    "change_case:capital_word_frequency": _counted(
        "words in capital letters",
        "capital_frequency",
        range(2, 11),
        range(5, 21),
        "capital_relation",
    ),
    "change_case:english_capital": [
        _form(
            "Write the answer in English and in capital letters only.",
            "Answer in English, with every letter a capital.",
        )
    ],
    "change_case:english_lowercase": [
        _form(
            "Write the answer in English and in small letters only, without any capital.",
            "Answer in English, and use lowercase letters throughout.",
        )
    ],
    "punctuation:no_comma": [
        _form("Do not use any commas.", "Write the answer without a single comma.")
    ],
}
"""Each id with the forms in which it is put, one of them drawn evenly."""
