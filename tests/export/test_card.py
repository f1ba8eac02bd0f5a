"""The card: what a stranger learns about a dataset."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

from synth import export
from synth.recipe import Recipe
from synth.record import Record

Finish = Callable[[Iterable[Record]], Path]
Recipes = Callable[..., Recipe]
Judged = Callable[..., list[Record]]
BOTH: dict[str, Any] = {"sft": {"test_fraction": 0.3}, "dpo": {"rejected_by": ["judge"]}}


def test_another_address_is_the_same_recipe_and_another_model_is_not(
    finish: Finish, recipe: Recipes, judged: Judged
) -> None:
    run = finish(judged(2))
    plain = recipe(**BOTH)

    def digest_with(options: dict[str, Any]) -> str:
        export.write(run, plain.model_copy(update={"engines": {"teacher": {"http": options}}}))
        return json.loads((run / "export" / "provenance.json").read_text("utf-8"))["recipe"][
            "digest"
        ]

    here = digest_with({"url": "http://a/v1", "model": "mock"})
    assert digest_with({"url": "http://b/v1", "model": "mock", "at_once": 3}) == here
    assert digest_with({"url": "http://a/v1", "model": "other"}) != here


def test_the_card_tells_the_funnel_and_the_verdicts(
    finish: Finish, recipe: Recipes, judged: Judged
) -> None:
    run = finish([*judged(4), judged(10)[-2].hold(by="judge", reason="broke: on | this\nline")])

    export.write(run, recipe(**BOTH))

    card = (run / "export" / "README.md").read_text("utf-8")
    assert "| live | 4 |\n| dropped | 4 |\n| held | 1 |" in card
    assert "| verify | judge | verdict | wrong | 4 |" in card
    assert "| verify | judge | exact 1 | 5 | 4 | 0 | 0 |" in card
    header = yaml.safe_load(card.split("---")[1])
    assert [config["config_name"] for config in header["configs"]] == ["sft", "dpo"]
    assert header["size_categories"] == ["n<1K"]
