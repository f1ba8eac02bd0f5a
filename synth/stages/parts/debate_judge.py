"""The judge of a debate: it sees replies in an order drawn at random, and picks one by number."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from synth.engine.base import Chat, Sampling
from synth.prompt import names_of
from synth.record import Record
from synth.services import Services
from synth.stages.parts.debate_rounds import opened
from synth.stages.parts.replies import MalformedError, number_in, whole_reply

_BEST = re.compile(r"^[ \t#*_]*Best[ \t*_]*:(.*)$", re.MULTILINE | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Judged:
    """Whose reply wins."""

    number: int
    """The specialist's."""
    reply: str = ""
    """What the judge said about it, without its thinking; empty where a vote settled it."""


@dataclass(frozen=True, slots=True)
class Judge:
    """Who judges, and how its reply is drawn."""

    engine: str
    sampling: Sampling

    async def pick(self, record: Record, replies: Mapping[int, str], services: Services) -> Judged:
        """Return which of `replies` (specialist's number → text) is best.

        Raises CallFailed, and MalformedError with the judge's raw reply if it names none.
        """
        shown = shuffled(record, list(replies), services)
        texts = [replies[number] for number in shown]
        names = names_of(record, replies=texts, before=opened(record, ""))
        asked = services.prompts["judge_prompt"].render(names)
        completion = await services.complete(
            self.engine, Chat(asked), self.sampling, record, step="judge"
        )
        try:
            said, _ = whole_reply(completion, "verdict")
            return Judged(shown[place_in(said, len(shown)) - 1], said)
        except MalformedError as wrong:
            raise MalformedError(str(wrong), raw=completion.text) from wrong


def shuffled(record: Record, numbers: list[int], services: Services) -> list[int]:
    """Return the numbers in the order in which the judge sees them; every order is as likely."""
    return services.rng(record, "judge's order").sample(numbers, len(numbers))


def place_in(said: str, most: int) -> int:
    """Return which of the replies it picks, from 1; of several lines `Best:` the last counts."""
    named = _BEST.findall(said)
    if not named:
        raise MalformedError("no_choice: wanted a line that begins with 'Best:', found none")
    place = number_in(named[-1].strip(" \t*_"), 0, most)
    if not place.is_integer():
        raise MalformedError(f"no_number: wanted a whole number, found {place:g}")
    if not place:
        raise MalformedError("no_consensus: the judge accepts none of the replies")
    return int(place)
