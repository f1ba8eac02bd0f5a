"""What is wrong with options, in words: the nearest right name, what was wanted, what was found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from synth.errors import Problem, did_you_mean
from synth.recipe.source import Location, Source

Wrong = tuple[Location, str]
"""Where in the options, and what is wrong there."""
_SHOWN = 80
_PLAINER = (
    (r"Input should be a valid tuple", "should be a list"),
    (r"Input should be a valid dictionary", "should be options, `{name: value}`"),
    (r"^(Input|String|Tuple|List|Dictionary) should", "should"),
    (r"( after validation)?, (not \d+|unable to .*)$", ""),
)


class MisfitError(ValueError):
    """Raised by a validator that found several things wrong inside of what it was given."""

    def __init__(self, wrong: Sequence[Wrong]) -> None:
        self.wrong = tuple(wrong)
        super().__init__("; ".join(message for _, message in wrong))


def explain(
    error: ValidationError,
    source: Source,
    at: Location,
    model: type[BaseModel],
    *,
    also: Iterable[str] = (),
) -> list[Problem]:
    """Return what pydantic found in the options at `at` as problems, each with its line."""
    return [
        source.problem(message, (*at, *place))
        for place, message in described(error, model, also=also)
    ]


def described(
    error: ValidationError, model: type[BaseModel], *, also: Iterable[str] = ()
) -> list[Wrong]:
    """Return what pydantic found in the options of `model`; `also` are names known elsewhere."""
    wrong: list[Wrong] = []
    errors = error.errors(include_url=False)
    for found in errors:
        inner = found.get("ctx", {}).get("error")
        if isinstance(inner, MisfitError):
            wrong += [((*found["loc"], *place), message) for place, message in inner.wrong]
        elif not _follows_from_another(found, errors):
            wrong.append((found["loc"], _sentence(found, model, also)))
    return wrong


def _sentence(found: Any, model: type[BaseModel], also: Iterable[str]) -> str:
    *around, last = found["loc"] or ("",)
    if found["type"] == "extra_forbidden":
        known = [*_fields_at(model, around), *(() if around else also)]
        return f"no option {str(last)!r} here. {did_you_mean(str(last), known)}".strip()
    # Of a list's item the line says enough: its number would have to be counted.
    name = "" if isinstance(last, int) else ".".join(str(step) for step in found["loc"])
    name = name if found["loc"] else str(getattr(model, "name", ""))
    if found["type"] == "missing":
        return f"{name!r} is missing"
    said = found["msg"].removeprefix("Value error, ")
    if found["type"] == "value_error":
        return f"{name}: {said}" if name else said
    for technical, plain in _PLAINER:
        said = re.sub(technical, plain, said)
    return f"{name} {said}, got {_short(found['input'])}".lstrip()


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _follows_from_another(found: Any, errors: Sequence[Any]) -> bool:
    """Whether a list is only too short because of what was wrong inside it."""
    loc = found["loc"]
    return found["type"] == "too_short" and any(
        len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in errors
    )


def _fields_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    """Return the names of the options that `path` leads to, as far as they are models."""
    for step in path:
        field = model.model_fields.get(str(step))
        choices = (field.annotation, *get_args(field.annotation)) if field else ()
        models = (one for one in choices if isinstance(one, type) and issubclass(one, BaseModel))
        model = next(models, model)
    return list(model.model_fields)
