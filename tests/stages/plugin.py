"""Verifiers of a test. A copy of this file is the plugin beside a recipe."""

from __future__ import annotations

from collections.abc import Sequence

from synth import (
    Chat,
    ModelVerifier,
    RecipeFile,
    Record,
    Sampling,
    Services,
    Verdict,
    Verifier,
)


class Worded(ModelVerifier):
    """Judges as the reply says: pass, fail, abstain; anything else breaks it. Asks nobody."""

    async def judge(self, records: Sequence[Record], services: Services) -> Sequence[Verdict]:
        """Return what each reply says."""
        return [
            {
                "pass": Verdict.passed(score=1.0),
                "fail": Verdict.failed("worded", "the reply says so"),
                "abstain": Verdict.abstained("unsure", "the reply says so"),
            }[record.reply]
            for record in records
        ]


class Listed(Verifier):
    """Fails replies that a file lists."""

    words: RecipeFile

    def judge(self, records: Sequence[Record]) -> Sequence[Verdict]:
        """Return whether each reply is listed."""
        words = self.words.read_text().split()
        return [
            Verdict.failed("listed") if record.reply in words else Verdict.passed()
            for record in records
        ]


class Filed(Verifier):
    """Depends on a file that is no option."""

    def files(self) -> tuple[str, ...]:
        """Return the file."""
        return ("rules.txt",)


class Asking(ModelVerifier):
    """Asks an engine whether a reply is good."""

    engine: str = "judge"
    batch_size: int = 8

    def engines(self) -> tuple[str, ...]:
        """Return the engine."""
        return (self.engine,)

    async def judge(self, records: Sequence[Record], services: Services) -> Sequence[Verdict]:
        """Return what the engine says."""
        verdicts: list[Verdict] = []
        for record in records:
            said = await services.complete(
                self.engine, Chat(record.messages), Sampling(), record, step="judge"
            )
            verdicts.append(Verdict.passed() if said.text == "yes" else Verdict.failed("refused"))
        return verdicts
