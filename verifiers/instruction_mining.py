"""Instruction Mining's rule: what a model would lose on a record, from indicators of quality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from synth import Record, Verdict, Verifier

from . import bounds
from .field import number_in, value_at

_RULES: Mapping[str, tuple[float, Mapping[str, float]]] = {
    "v1": (1.0694, {"reward": -0.1498, "length": 8.257e-5, "knn_6": -0.9350}),
    "v3": (
        0.0274,
        {
            "reward": -0.0078,
            "understandability": 0.4421,
            "naturalness": -0.3212,
            "coherence": -0.1520,
        },
    ),
}
"""Version of the paper to the intercept and the coefficients, as printed there."""


class InstructionMining(Verifier):
    """The log loss of fine-tuning on the record, as a linear rule predicts it; less is better.

    `v3` is the rule of the paper's third version: 0.0274 - 0.0078 reward + 0.4421 understandability
    - 0.3212 naturalness - 0.1520 coherence. `v1`, of the first: 1.0694 - 0.1498 reward + 8.257e-5
    length - 0.9350 knn_6. The indicators are scores that verifiers before this one gave, in this
    stage or another, or numbers in fields; `indicators` says where each is found. They must be on
    the scale of the paper's models (an OpenAssistant reward, UniEval's three from 0 to 1, the
    length of the reply, the distance to the sixth nearest neighbour): with others the ranking may
    hold, the value does not.

    Not judged: a record that lacks one of them (`no_indicator`), or has text or no finite number
    there (`not_a_number`). The score is the predicted log loss; evidence holds the indicators.
    `too_low`, `too_high`: it is out of the bounds that are given; without any it passes.

    Source: Cao et al., "Instruction Mining: Instruction Data Selection for Tuning Large Language
    Models" (2023), section 3.
    """

    name: ClassVar[str] = "instruction_mining"
    version: ClassVar[str] = "1"
    reads_judgements: ClassVar[bool] = True
    reasons: ClassVar[tuple[str, ...]] = (*bounds.REASONS, "no_indicator", "not_a_number")

    rule: Literal["v1", "v3"] = "v3"
    """Which version of the paper the coefficients are from."""
    indicators: Mapping[str, str] = {}
    """Indicator to the label of an earlier verifier, or to a field, where it has another name."""
    at_least: float | None = None
    """The least score that passes."""
    at_most: float | None = None
    """The greatest score that passes."""

    @model_validator(mode="after")
    def _knows_its_indicators(self) -> Self:
        _, weights = _RULES[self.rule]
        for indicator in self.indicators:
            if indicator not in weights:
                wanted = ", ".join(weights)
                raise ValueError(f"`{self.rule}` wants indicators {wanted}; got {indicator!r}")
        bounds.refuse_crossed(self.at_least, self.at_most)
        return self

    def judge(self, records: Sequence[Record]) -> list[Verdict]:
        """Return one verdict for each record."""
        return [self._verdict(record) for record in records]

    def _verdict(self, record: Record) -> Verdict:
        score, weights = _RULES[self.rule]
        found: dict[str, float] = {}
        for indicator, weight in weights.items():
            place = self.indicators.get(indicator, indicator)
            value = _stored(record, place)
            if value is None:
                said = f"neither an earlier verifier's score nor a field is called {place!r}"
                return Verdict.abstained("no_indicator", said)
            number = number_in(value)
            if number is None:
                return Verdict.abstained("not_a_number", f"{place!r} is {value!r:.80}")
            found[indicator] = number
            score += weight * number
        what = "the predicted log loss"
        return bounds.bounded(score, self.at_least, self.at_most, what=what, evidence=found)


def _stored(record: Record, place: str) -> Any:
    """Return the score that the verifier labelled `place` gave last, else what the field holds."""
    for judgement in reversed(record.judgements):
        if judgement.label == place and judgement.verdict.score is not None:
            return judgement.verdict.score
    return value_at(record.fields, place)
