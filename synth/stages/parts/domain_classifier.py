"""A classifier of instructions by domain, trained on examples, held to account by seed family."""
# scikit-learn is an extra, and untyped.
# pyright: reportMissingImports=false, reportMissingTypeStubs=false, reportUnknownVariableType=false
# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from synth import seed
from synth.errors import SeedError

_FOLDS = 5


class Example(NamedTuple):
    """An instruction with its domain, and the seed that it stems from."""

    instruction: str
    domain: str
    family: str


@dataclass(frozen=True, slots=True)
class DomainClassifier:
    """A trained classifier."""

    pipeline: Any
    accuracy: float | None
    """The share of held-out examples that it got right when trained without their families; None
    where there are too few families for that."""

    def domain_of(self, instruction: str) -> tuple[str, float]:
        """Return the likeliest domain and its probability."""
        shares = self.pipeline.predict_proba([instruction])[0]
        place = int(shares.argmax())
        return str(self.pipeline.classes_[place]), float(shares[place])


def trained(file: Path, *, least_accuracy: float = 0.0) -> DomainClassifier:
    """Return a classifier trained on the examples in a file or folder of seeds.

    Raises SeedError as `examples` does, if they hold no words, or if the accuracy on
    held-out families is below `least_accuracy`.
    """
    found = examples(file)
    measured = _held_out_accuracy(found)
    if least_accuracy and (measured is None or measured < least_accuracy):
        share = (
            "none that can be held out" if measured is None else f"{measured:.0%} of those held out"
        )
        raise SeedError(
            f"of the examples in {file.name!r} the domain classifier gets {share} right, "
            f"wants {least_accuracy:.0%}; add examples, or lower `accuracy`"
        )
    return DomainClassifier(_fitted(found), measured)


def examples(file: Path) -> list[Example]:
    """Return the rows of a file or folder of seeds that have an instruction and a domain.

    Raises SeedError if it cannot be read or knows fewer than two domains.
    """
    found: list[Example] = []
    for record in seed.records(seed.resolve([file.name], file.parent)):
        domain, family = record.fields.get("domain"), record.fields.get("family")
        if record.instruction and isinstance(domain, str):
            stems = family if isinstance(family, str) else record.family
            found.append(Example(record.instruction, domain, stems))
    if (domains := len({example.domain for example in found})) < 2:
        raise SeedError(
            f"wanted examples of at least two domains in {file.name!r}, found {domains}; each "
            "needs an instruction and a field `domain`"
        )
    return found


def _held_out_accuracy(found: list[Example]) -> float | None:
    """Return the accuracy over folds that never part a family."""
    from sklearn.model_selection import GroupKFold

    families = [example.family for example in found]
    folds = min(_FOLDS, len(set(families)))
    if folds < 2:
        return None
    right = 0
    for known, held_out in GroupKFold(folds).split(found, groups=families):
        training = [found[place] for place in known]
        if len({example.domain for example in training}) < 2:
            return None
        fitted = _fitted(training)
        guessed = fitted.predict([found[place].instruction for place in held_out])
        right += sum(
            guess == found[place].domain for guess, place in zip(guessed, held_out, strict=True)
        )
    return right / len(found)


def _fitted(found: list[Example]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline, make_union

    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2))
    parts = TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, 5))
    # Domains with few examples count as much as those with many.
    regression = LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000)
    pipeline = make_pipeline(make_union(words, parts), regression)
    instructions = [example.instruction for example in found]
    try:
        return pipeline.fit(instructions, [example.domain for example in found])
    except ValueError as error:  # scikit-learn's word for a vocabulary of none
        raise SeedError(
            f"the domain classifier cannot learn from {len(found)} examples, such as "
            f"{instructions[0][:80]!r}: {error}; write instructions of several words"
        ) from error
