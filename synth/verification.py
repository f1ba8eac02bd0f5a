"""A verifier: records in, one verdict for each out.

Three depths of one interface. A function with `@verifier`; a `Verifier` that judges batches on the
CPU, in worker processes; a `ModelVerifier` that asks engines. What follows from a verdict (drop,
keep, hold) is the recipe's choice, never the verifier's.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, cast, overload

from synth.frozen import Frozen
from synth.record import Record, Verdict
from synth.services import Services


class _Judges(Frozen):
    """What both kinds have: a stable name, a version, fields as options."""

    name: ClassVar[str] = ""
    """What a recipe calls it; by default the class's name in lower case."""
    version: ClassVar[str] = "1"
    """Raised when a record may get another verdict than before: stored ones then do not count."""
    in_order: ClassVar[bool] = False
    """Whether it must see all records, batch after batch, by position (it may then keep state)."""
    reads_judgements: ClassVar[bool] = False
    """Whether its verdict depends on what other verifiers said before (`record.judgements`): a
    stored one then counts only where they said the same."""
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

    def ready(self) -> None:
        """Raise SynthError if it cannot judge on this machine; asked before anything else runs."""


class Verifier(_Judges):
    """A verifier that needs no model: plain CPU work, judged in worker processes under limits."""

    def judge(self, records: Sequence[Record]) -> Sequence[Verdict]:
        """Return one verdict for each record, in order; the same at any batch size."""
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
    if judged is True:
        return Verdict.passed()
    if judged is False:
        return Verdict.failed("failed", "the function returned False")
    # A plugin's function returns what it likes, whatever its annotation says.
    if isinstance(cast("object", judged), int | float):
        return Verdict.passed(score=float(judged))
    raise TypeError(f"wanted bool, float, Verdict or None, got {type(judged).__name__}")


@overload
def verifier(function: Callable[..., Judged], /) -> type[Verifier]: ...


@overload
def verifier(
    *, version: str = "1", reasons: tuple[str, ...] = ()
) -> Callable[[Callable[..., Judged]], type[Verifier]]: ...


def verifier(
    function: Callable[..., Judged] | None = None,
    /,
    *,
    version: str = "1",
    reasons: tuple[str, ...] = (),
) -> type[Verifier] | Callable[[Callable[..., Judged]], type[Verifier]]:
    """Return a verifier class that judges record by record with `function(record, **options)`.

    The function's other parameters become the options of the verifier, its docstring the help.
    Stands bare, or with a `version` and with the codes of the reasons that the function itself
    gives.
    """
    if function is None:
        return lambda function: _class_of(function, version, reasons)
    return _class_of(function, version, reasons)


def _class_of(
    function: Callable[..., Judged], version: str, reasons: tuple[str, ...]
) -> type[Verifier]:
    parameters = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    _refuse_odd_options(function, parameters)
    names = [parameter.name for parameter in parameters]

    def judge(self: Verifier, records: Sequence[Record]) -> list[Verdict]:
        chosen = {name: getattr(self, name) for name in names}
        return [as_verdict(function(record, **chosen)) for record in records]

    unset = inspect.Parameter.empty
    annotations = {
        given.name: Any if given.annotation is unset else given.annotation for given in parameters
    }
    namespace = {
        "__module__": function.__module__,
        "__qualname__": function.__qualname__,
        "__doc__": function.__doc__,
        "__annotations__": {
            **annotations,
            "name": ClassVar[str],
            "version": ClassVar[str],
            "reasons": ClassVar[tuple[str, ...]],
        },
        "judge": judge,
        "name": function.__name__,
        "version": version,
        "reasons": ("failed", "not_applicable", *reasons),
        **{given.name: given.default for given in parameters if given.default is not unset},
    }
    return type(function.__name__, (Verifier,), namespace)


def _refuse_odd_options(
    function: Callable[..., Judged], parameters: Sequence[inspect.Parameter]
) -> None:
    """Raise TypeError where a parameter cannot be an option."""
    for given in parameters:
        if given.kind in (given.VAR_POSITIONAL, given.VAR_KEYWORD, given.POSITIONAL_ONLY):
            raise TypeError(
                f"the verifier {function.__name__!r} wants options that have names, got '{given}'"
            )
        if hasattr(Verifier, given.name):
            raise TypeError(
                f"the verifier {function.__name__!r} cannot call an option {given.name!r}: every "
                "verifier has that name already; choose another"
            )
