"""What Acme's editors ask of a reply."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from synth import Record, Verdict, Verifier, verifier


class DosageMentioned(Verifier):
    """A reply that names one of the drugs also says how much of it, in milligrams or grams."""

    name: ClassVar[str] = "dosage_mentioned"
    version: ClassVar[str] = "2"
    reasons: ClassVar[tuple[str, ...]] = ("no_dosage", "no_drug")

    drugs: tuple[str, ...] = ("paracetamol", "ibuprofen")
    """Names in lower case."""

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record; a reply without a drug is not judged."""
        return [self._verdict(record.reply.lower()) for record in records]

    def _verdict(self, reply: str) -> Verdict:
        named = [drug for drug in self.drugs if drug in reply]
        if not named:
            return Verdict.abstained("no_drug", "the reply names none of the drugs")
        dosage = re.search(r"\d ?m?g\b", reply)
        if dosage is None:
            return Verdict.failed("no_dosage", f"{named[0]} without milligrams or grams")
        return Verdict.passed(evidence={"dosage": dosage[0]})


@verifier
def polite(record: Record, words: int = 3) -> bool | None:
    """One of the first `words` words is "please" or "thank"; a reply of no words is not judged."""
    first = record.reply.lower().split()[:words]
    return None if not first else any(word.startswith(("please", "thank")) for word in first)
