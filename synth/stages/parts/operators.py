"""The operators that rewrite a text: a name, and a Jinja file of that name.

Shipped ones come in families, one for each method that published them; a team adds its own by a
name and a file beside its recipe.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any, cast

from synth.errors import did_you_mean

JUDGE = "judge_prompt"
"""The name of the one prompt that is no operator."""
FAMILIES: dict[str, tuple[str, ...]] = {
    "wizardlm": (
        "add_constraints",
        "deepen",
        "concretize",
        "add_reasoning",
        "complicate_input",
        "breadth",
    ),
    "wizardcoder": (
        "code_constraints",
        "code_rare_requirement",
        "code_more_steps",
        "code_wrong_hint",
        "code_complexity",
    ),
    "wizardmath": ("math_upward", "math_downward"),
    "quality": (
        "reply_helpfulness",
        "reply_relevance",
        "reply_depth",
        "reply_creativity",
        "reply_detail",
    ),
}
"""The operators that come with the stage, by the method that brought them."""
ROUNDS = {"wizardcoder": 3, "wizardmath": 8, "quality": 5}
"""The published number of rounds of a family, where it is not that of the first."""

_SHIPPED = frozenset(name for family in FAMILIES.values() for name in family)
Operators = dict[str, str | None]


def chosen_operators(written: Any) -> Operators:
    """Return operator → Jinja file, or None for one that comes with the stage.

    `written` is a name of a family or operator, a list of those and of mappings, or a mapping of
    names to files. Raises ValueError that names the nearest known name.
    """
    items: list[Any] = (
        list(cast("Any", written)) if isinstance(written, list | tuple) else [written]
    )
    chosen: Operators = {}
    for item in items:
        pairs = cast("Mapping[Any, Any]", item) if isinstance(item, Mapping) else {item: None}
        for name, file in pairs.items():
            chosen.update(_chosen(name, file))
    if not chosen:
        raise ValueError(f"wants at least one; families are {', '.join(FAMILIES)}")
    return chosen


def _chosen(name: Any, file: Any) -> Operators:
    if isinstance(name, str) and isinstance(file, str) and name != JUDGE:
        return {name: file}
    if file is not None or name == JUDGE:
        raise ValueError(
            f"wants `name: file.jinja` for an operator of your own, got {name}: {file!r}"
        )
    if name in FAMILIES:
        return dict.fromkeys(FAMILIES[name])
    if name in _SHIPPED:
        return {name: None}
    hint = did_you_mean(str(name), [*FAMILIES, *_SHIPPED])
    raise ValueError(
        f"no operator or family {name!r}. {hint} One of your own is `{name}: file.jinja`."
    )


def draw(operators: Iterable[str], rng: random.Random) -> str:
    """Return one of `operators`, each as likely as any other; their order does not matter."""
    return rng.choice(sorted(operators))
