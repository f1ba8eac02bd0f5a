"""Tell which domain an instruction belongs to: by a model, or by a classifier trained here."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

from pydantic import Field, model_validator

from synth.engine.base import Chat, Sampling
from synth.errors import CallFailed, SeedError
from synth.frozen import RecipeFile
from synth.prompt import names_of
from synth.record import Record
from synth.services import Services
from synth.stage import Stage
from synth.stages.parts.domain_classifier import DomainClassifier, examples, trained
from synth.stages.parts.reasoning import split
from synth.stages.parts.replies import MalformedError, choice_in, failed_child, malformed_child
from synth.stages.parts.shipped import shipped_prompts
from synth.stages.parts.tag_forms import Form

DOMAINS: Mapping[str, str] = {
    "health": "medicine, illness, drugs, care, nutrition, the body",
    "finance": "money, banks, investing, taxes, accounting, insurance",
    "law": "contracts, rights, courts, regulations, liability",
    "code": "programs, programming languages, data bases, debugging",
    "math": "calculating, proving, equations, probability, puzzles with numbers",
    "science": "physics, chemistry, biology, the earth, space, engineering",
    "e-commerce": "buying and selling, products, orders, returns, reviews, marketing",
    "education": "learning, teaching, schools, exams, study plans",
    "other": "everything else",
}
"""The domains where a recipe names none, with what belongs to each."""


class Domain(Stage):
    """Put the field `domain` on each record, by its instruction; one that has it keeps it.

    With `engine` a model names the domain. A reply that names none of them, or several, leaves a
    child dropped as `no_choice` with the raw text, and the record goes on without a domain. With
    `examples` a classifier decides (TF-IDF of words and of parts of words, logistic regression, by
    scikit-learn), which is trained once a run on instructions with known domains; it adds
    `domain_probability`, and says `other` below `least_probability`. `accuracy` guards it: measured
    on examples whose seed family it was not trained on, so that variants of one seed never stand on
    both sides.

    The stage `respond` sends records on by this field (`engines:`), and `cap` limits the records of
    a domain. Idea: Simonds et al., "MoDEM: Mixture of Domain Expert Models" (2024), whose router is
    a fine-tuned encoder.
    """

    name: ClassVar[str] = "domain"
    takes: ClassVar = "instruction"
    default_prompts: ClassVar[dict[str, str]] = shipped_prompts("domain")

    engine: str | None = None
    """Name of an engine of the recipe: a model decides."""
    examples: RecipeFile | None = None
    """A file or folder of seeds with a field `domain`, such as an export of `expand`: a classifier
    decides. A field `family` says which examples stem from one seed; without it each is its own."""
    domains: tuple[str, ...] | dict[str, str] = Field(default=dict(DOMAINS), min_length=2)
    """The domains, or domain to what belongs to it."""
    other: str = "other"
    """The domain of what the classifier is unsure about."""
    least_probability: float = Field(default=0.0, ge=0, le=1)
    """How sure the classifier must be."""
    accuracy: float = Field(default=0.0, ge=0, le=1)
    """The least share of held-out examples that it must get right; else the run does not begin."""
    sampling: Sampling = Sampling(temperature=0.0, max_tokens=512)
    """How the model's reply is drawn."""
    structured: bool = True
    """Whether the server is told the JSON schema of the reply, so that others cannot be."""
    prompt: str | None = None
    """A Jinja file beside the recipe; shows `domains`, asks for one of them: a JSON object with the
    key `domain`, or its name alone."""

    @model_validator(mode="after")
    def _one_way_to_decide(self) -> Self:
        if (self.engine is None) == (self.examples is None):
            raise ValueError("wants `engine` or `examples`, one of the two")
        if self.examples is None:
            return self
        if importlib.util.find_spec("sklearn") is None:
            raise ValueError(
                "`examples` needs scikit-learn: run `pip install 'expertsynth[classify]'`"
            )
        try:
            examples(self.examples)
        except SeedError as error:
            raise ValueError(str(error)) from error
        return self

    def prompts_used(self) -> tuple[str, ...]:
        """Return the prompt, if a model is asked."""
        return ("prompt",) if self.engine else ()

    async def apply(self, record: Record, services: Services) -> Sequence[Record]:
        """Return the record with its domain, and a dropped child if the model named none."""
        if isinstance(record.fields.get("domain"), str):
            return [record]
        if not record.instruction.strip():
            raise ValueError("nothing_to_label: the record has no instruction")
        if self.examples is not None:
            return [record.adding(await self._classified(record.instruction, services))]
        return await self._asked(record, services)

    async def _asked(self, record: Record, services: Services) -> list[Record]:
        described = self.domains if isinstance(self.domains, dict) else {}
        names = names_of(record, domains=list(self.domains), described=described)
        asked = Chat(services.prompts["prompt"].render(names))
        form = Form("domain", tuple(self.domains), {"domain": "domain"})
        bound = {"json_schema": form.schema} if self.structured else {}
        try:
            said = await services.complete(
                self.engine or "",
                asked,
                self.sampling.model_copy(update=bound),
                record,
                step="domain",
            )
        except CallFailed as failed:
            return [record, failed_child(record, services, 0, failed)]
        try:
            return [record.adding({"domain": _named(said.text, form)})]
        except MalformedError as wrong:
            return [record, malformed_child(record, services, 0, said.text, wrong)]

    async def _classified(self, instruction: str, services: Services) -> dict[str, str | float]:
        classifier: DomainClassifier = await services.resource(
            f"domain|{services.label}", self._train
        )
        domain, probability = await asyncio.to_thread(classifier.domain_of, instruction)
        sure = probability >= self.least_probability
        return {
            "domain": domain if sure else self.other,
            "domain_probability": round(probability, 3),
        }

    def _train(self) -> DomainClassifier:
        assert self.examples is not None
        return trained(self.examples, least_accuracy=self.accuracy)


def _named(reply: str, form: Form) -> str:
    """Return the domain that a reply names. Raises MalformedError if it names none, or several."""
    try:
        return form.read(reply)["domain"]
    except MalformedError:
        return choice_in(split(reply).answer, form.labels)
