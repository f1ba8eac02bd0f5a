"""The prompts that come with a stage: used where a recipe names none of its own."""

from __future__ import annotations

from pathlib import Path

_FOLDER = Path(__file__).parents[1] / "prompts"


def shipped_prompts(stage: str) -> dict[str, str]:
    """Return option name to source, for each `prompts/<stage>/<option>.jinja`."""
    return {
        file.stem: file.read_text("utf-8") for file in sorted((_FOLDER / stage).glob("*.jinja"))
    }
