"""The children of a debate: replies that go on, those with nothing to count, or the reason why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from synth.errors import CallFailed
from synth.record import Message, Record
from synth.services import Services
from synth.stages.parts.conversation import question_of
from synth.stages.parts.debate_answers import Said, votes_of
from synth.stages.parts.debate_judge import Judged
from synth.stages.parts.debate_rounds import Seat
from synth.stages.parts.reasoning import turn_of
from synth.stages.parts.replies import MalformedError


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a debate of one record leaves behind."""

    record: Record
    services: Services
    seats: Sequence[Seat]
    transcript: bool
    """Whether the child for the whole debate tells all rounds."""

    @property
    def last(self) -> list[Said]:
        """What was said in the last round, in the order of the seats."""
        return [seat.said[-1] for seat in self.seats]

    def agrees(self, number: int, chosen: int) -> bool:
        """Return whether two specialists end with the same answer."""
        vote = self.last[chosen].vote
        return number == chosen or (vote != "" and self.last[number].vote == vote)

    def reply(self, number: int, chosen: Judged) -> Record:
        """Return the live child with a specialist's last reply."""
        said = self.last[number]
        fields = self._of(number)
        if said.vote:
            votes = votes_of(self.last)
            won = self.agrees(number, chosen.number)
            fields |= {
                "final_answer": said.vote,
                "agreement": len(votes[said.vote]) / sum(map(len, votes.values())),
                "votes": self._table(),
                "side": "majority" if won else "minority",
            }
        if number == chosen.number:
            fields |= self._debate()
            fields |= {"judge_reply": chosen.reply} if chosen.reply else {}
        turn = turn_of(said.text, said.reasoning)
        return self._child(number, fields, turn)

    def wrong(self, number: int) -> Record:
        """Return the dropped child of a specialist whose last reply does not count."""
        said, fields = self.last[number], self._of(number)
        if said.failed:
            child = self._child(number, fields)
            return child.drop("error", by=self.services.label, reason=said.wrong)
        child = self._child(number, {**fields, "raw_reply": said.raw})
        return child.drop("filter", by=self.services.label, reason=said.wrong)

    def nothing(self, why: MalformedError | CallFailed) -> Record:
        """Return the dropped child of a debate without a consensus, with what the judge said."""
        fields = {"rounds": self.rounds, "votes": self._table(), **self._debate()}
        if isinstance(why, CallFailed):
            child = self._child(len(self.seats), fields)
            return child.drop("error", by=self.services.label, reason=why.reason)
        child = self._child(len(self.seats), fields | ({"raw_reply": why.raw} if why.raw else {}))
        return child.drop("filter", by=self.services.label, reason=str(why))

    @property
    def rounds(self) -> int:
        """How many rounds there were."""
        return len(self.seats[0].said)

    def _child(self, number: int, fields: dict[str, Any], *turns: Message) -> Record:
        messages = (*question_of(self.record), *turns)
        return self.record.child(self.services.label, number, messages=messages, fields=fields)

    def _of(self, number: int) -> dict[str, Any]:
        return {"specialist": self.seats[number].name, "rounds": self.rounds}

    def _table(self) -> dict[str, list[str]]:
        """Return the votes: answer → names of those who gave it."""
        return {
            answer: [self.seats[number].name for number in voters]
            for answer, voters in votes_of(self.last).items()
        }

    def _debate(self) -> dict[str, Any]:
        if not self.transcript:
            return {}
        return {
            "debate": [
                [seat.said[number].as_json(seat.name) for seat in self.seats]
                for number in range(self.rounds)
            ]
        }
