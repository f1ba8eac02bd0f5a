"""What a model is asked to fill in for each tag, and how its reply becomes fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from synth.stages.parts.reasoning import split
from synth.stages.parts.replies import MalformedError, json_in

_TEXT = {"type": "string"}


@dataclass(frozen=True, slots=True)
class Form:
    """One JSON object: its keys in the order in which they are asked for, and one with labels."""

    labelled: str
    """The key whose value must be one of `labels`."""
    labels: tuple[str, ...]
    fields: Mapping[str, str]
    """Key to the record's field, all keys."""
    lists: tuple[str, ...] = ()
    """Keys whose value is a list of labels; what is no label there is left out."""

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the object."""
        label = {"type": "string", "enum": list(self.labels)}
        properties: dict[str, Any] = dict.fromkeys(self.fields, _TEXT)
        properties[self.labelled] = label
        for key in self.lists:
            properties[key] = {"type": "array", "items": label}
        return {
            "type": "object",
            "properties": properties,
            "required": list(self.fields),
            "additionalProperties": False,
        }

    def read(self, reply: str) -> dict[str, Any]:
        """Return the record's fields.

        Raises MalformedError if the reply holds no JSON object, or one without a known label. What
        else is missing there is missing.
        """
        found = json_in(split(reply).answer)
        if not isinstance(found, dict):
            raise MalformedError(f"not_json: wanted a JSON object, found {type(found).__name__}")
        given = cast("dict[str, Any]", found)
        label = self._label(given.get(self.labelled))
        if label is None:
            wanted = ", ".join(self.labels)
            said = f"wanted {self.labelled!r} to be one of {wanted}"
            raise MalformedError(f"wrong_tag: {said}; found {given.get(self.labelled)!r:.80}")
        fields: dict[str, Any] = {self.fields[self.labelled]: label}
        for key, field in self.fields.items():
            value = given.get(key)
            if key in self.lists and isinstance(value, list):
                fields[field] = self._labels(cast("list[object]", value), label)
            elif key != self.labelled and isinstance(value, str) and value.strip():
                fields[field] = value.strip()
        return fields

    def _label(self, value: object) -> str | None:
        said = value.strip().casefold() if isinstance(value, str) else ""
        return next((label for label in self.labels if label.casefold() == said), None)

    def _labels(self, values: Sequence[object], first: str) -> list[str]:
        known = [label for value in values if (label := self._label(value))]
        return [label for label in dict.fromkeys(known) if label != first]


@dataclass(frozen=True, slots=True)
class OpenForm:
    """One JSON object with a list of tags that the model makes up, each with its explanation."""

    field: str
    """The record's field for the list of tags."""

    labels: ClassVar[tuple[str, ...]] = ()

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the object."""
        tag = {
            "type": "object",
            "properties": {"tag": _TEXT, "explanation": _TEXT},
            "required": ["tag", "explanation"],
            "additionalProperties": False,
        }
        return {
            "type": "object",
            "properties": {"tags": {"type": "array", "items": tag}},
            "required": ["tags"],
            "additionalProperties": False,
        }

    def read(self, reply: str) -> dict[str, Any]:
        """Return the record's field: tags as they were written, each once, explanations left out.

        The list may stand alone, and its items may be plain texts. Raises MalformedError if the
        reply holds no JSON, or no tag.
        """
        found = json_in(split(reply).answer)
        listed = cast("dict[str, Any]", found).get("tags") if isinstance(found, dict) else found
        items = cast("list[object]", listed) if isinstance(listed, list) else []
        tags = dict.fromkeys(tag for item in items if (tag := _tag_of(item)))
        if not tags:
            raise MalformedError(f"wrong_tag: wanted a list of tags, found {found!r:.80}")
        return {self.field: list(tags)}


def _tag_of(item: object) -> str:
    tag = cast("dict[str, Any]", item).get("tag") if isinstance(item, dict) else item
    return tag.strip() if isinstance(tag, str) else ""


FORMS: Mapping[str, Form | OpenForm] = {
    "difficulty": Form(
        labelled="difficulty",
        labels=("very easy", "easy", "medium", "hard", "very hard"),
        fields={"intent": "intent", "knowledge": "knowledge", "difficulty": "difficulty"},
    ),
    "quality": Form(
        labelled="input_quality",
        labels=("very poor", "poor", "average", "good", "excellent"),
        fields={"explanation": "quality_explanation", "input_quality": "input_quality"},
    ),
    "category": Form(
        labelled="primary_tag",
        labels=(
            "Information seeking",
            "Reasoning",
            "Planning",
            "Editing",
            "Coding & Debugging",
            "Math",
            "Role playing",
            "Data analysis",
            "Creative writing",
            "Advice seeking",
            "Brainstorming",
            "Others",
        ),
        fields={"primary_tag": "task_category", "other_tags": "other_task_category"},
        lists=("other_tags",),
    ),
    "intentions": OpenForm("tags"),
}
"""Tag to form; labels and keys are those of Xu et al. (2024), appendix, and of Lu et al. (2023)."""
