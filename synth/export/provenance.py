"""Where an export came from: the recipe as it counts, the models that answered, the files' digests.

No date, host, address or absolute path: the same run gives the same text on any machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, cast

from synth import plugins
from synth.engine.base import Engine
from synth.errors import PluginError
from synth.recipe import Recipe
from synth.record import canonical, digest

if TYPE_CHECKING:
    from synth.export.card import Made

_MODELS = """
SELECT DISTINCT calls.engine, calls.model
FROM calls SEMI JOIN records ON calls.record_id = records.id
ORDER BY ALL
"""


def of(connection: Any, recipe: Recipe, made: Sequence[Made]) -> dict[str, Any]:
    """Return what `provenance.json` holds."""
    shown = shown_recipe(recipe)
    return {
        "synth": _version(),
        "recipe": {"name": recipe.name, "digest": digest(canonical(shown)), "content": shown},
        "models": [
            {"engine": engine, "model": model}
            for engine, model in connection.execute(_MODELS).fetchall()
        ],
        "datasets": {
            one.name: [
                {"split": file.split, "path": file.path, "rows": file.rows, "sha256": file.sha256}
                for file in one.files
            ]
            for one in made
        },
    }


def _version() -> str:
    try:
        return version("expertsynth")
    except PackageNotFoundError:
        return "unknown"


def shown_recipe(recipe: Recipe) -> dict[str, Any]:
    """Return the recipe as JSON values without what differs from place to place.

    Engines lose the options that change how and never what (address, key, requests in flight); of
    an absolute path the last name stays.
    """
    shown = recipe.model_dump(mode="json", exclude_defaults=True)
    for name, engine in recipe.engines.items():
        shown["engines"][name] = {
            kind: {key: value for key, value in options.items() if key not in _knobs(kind)}
            for kind, options in engine.items()
        }
    return _without_places(shown)


def _knobs(kind: str) -> frozenset[str]:
    try:
        return plugins.find("engines", kind).cls.knobs
    except PluginError:
        return Engine.knobs | {"url", "urls", "api_key_env"}


def _without_places(value: Any) -> Any:
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        return {key: _without_places(item) for key, item in items.items()}
    if isinstance(value, list):
        return [_without_places(item) for item in cast("list[Any]", value)]
    if isinstance(value, str) and PurePath(value).is_absolute():
        return PurePath(value).name or value
    return value
