"""A verifier: records in, one verdict for each out.

Three depths of one interface. A function with `@verifier`; a `Verifier` that judges batches on the CPU, in
worker processes; a `ModelVerifier` that asks engines. What follows from a verdict (drop, keep, hold) is the
recipe's choice, never the verifier's.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from synth.frozen import Frozen
from synth.record import Record, Verdict
from synth.services import Services


class _Judges(Frozen):
    """What both kinds have: a stable name, a version, fields as options."""

    name: ClassVar[str] = ""
    """What a recipe calls it; by default the class's name in lower case."""
    version: ClassVar[str] = "1"
    """Raised when a verdict may differ for the same record and options: stored verdicts then no longer count."""
    in_order: ClassVar[bool] = False
    """Whether it must see all records, one batch after another, by position (it may then keep state)."""
    reasons: ClassVar[tuple[str, ...]] = ()
    """The codes that its verdicts' reasons may begin with."""

    def __init_subclass__(cls, **options: Any) -> None:
        """Give a class without a name its own, in lower case."""
        super().__init_subclass__(**options)
        if "name" not in cls.__dict__:
            cls.name = cls.__name__.lower()

    def files(self) -> tuple[str, ...]:
        """Return the paths of files that verdicts depend on: their content is part of the key."""
        return ()

    def engines(self) -> tuple[str, ...]:
        """Return the names of the engines it asks: their identities are part of the key."""
        return ()


class Verifier(_Judges):
    """A verifier that needs no model: plain CPU work, judged in worker processes under limits."""

    def judge(self, records: Sequence[Record]) -> Sequence[Verdict]:
        """Return one verdict for each record, in order; the same at any batch size unless `in_order`."""
        raise NotImplementedError(f"{type(self).__name__} must define judge()")


class ModelVerifier(_Judges):
    """A verifier that asks engines; runs on the event loop and must not do heavy work there."""

    async def judge(self, records: Sequence[Record], services: Services) -> Sequence[Verdict]:
        """Return one verdict for each record, in order."""
        raise NotImplementedError(f"{type(self).__name__} must define judge()")


Judged = bool | float | Verdict | None


def as_verdict(judged: Judged) -> Verdict:
    """Return the verdict that a plain value stands for.

    True passes, False fails with `failed`, a number passes with that score, None abstains.
    """
    if isinstance(judged, Verdict):
        return judged
    if judged is None:
        return Verdict.abstained("not_applicable", "the function returned None")
    if isinstance(judged, bool):
        return Verdict.passed() if judged else Verdict.failed("failed", "the function returned False")
    if isinstance(judged, int | float):
        return Verdict.passed(score=float(judged))
    raise TypeError(f"wanted bool, float, Verdict or None, got {type(judged).__name__}")


def verifier(function: Callable[..., Judged]) -> type[Verifier]:
    """Return a verifier class that judges record by record with `function(record, **options)`.

    Its keyword parameters with defaults become the options of the verifier, its docstring the help.
    """
    options = {
        name: (parameter.annotation if parameter.annotation is not parameter.empty else Any,
               parameter.default)
        for name, parameter in list(inspect.signature(function, eval_str=True).parameters.items())[1:]
    }

    def judge(self: Verifier, records: Sequence[Record]) -> list[Verdict]:
        chosen = {name: getattr(self, name) for name in options}
        return [as_verdict(function(record, **chosen)) for record in records]

    namespace = {
        "__module__": function.__module__,
        "__qualname__": function.__qualname__,
        "__doc__": function.__doc__,
        "__annotations__": {name: annotation for name, (annotation, _) in options.items()},
        "judge": judge,
        "name": function.__name__,
        **{name: default for name, (_, default) in options.items()},
    }
    namespace["__annotations__"]["name"] = ClassVar[str]
    return type(function.__name__, (Verifier,), namespace)
