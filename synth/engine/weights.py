"""A model that lies on this machine: found beside the recipe, known by what it holds."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, PlainSerializer, ValidationInfo

_END = 1 << 20


def beside_the_recipe(name: str, info: ValidationInfo) -> Path:
    """Return where a model of that name would lie, seen from the recipe's folder."""
    context: dict[str, Path] = info.context or {}
    return context.get("folder", Path()) / name


def known_by(path: Path) -> str:
    """Return a name for a model file or folder that is the same wherever it lies.

    Weights are large: their size and both ends (1 MiB each) stand for the whole. Hidden files of a
    folder do not count.
    """
    hashed = blake2b(digest_size=8)
    for file in _files(path):
        hashed.update(f"|{file.relative_to(path).as_posix()} {file.stat().st_size}|".encode())
        hashed.update(_ends(file))
    return f"{path.resolve().name} {hashed.hexdigest()}"


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    inside = [file for file in path.rglob("*") if file.is_file()]
    return sorted(
        file
        for file in inside
        if not any(part.startswith(".") for part in file.relative_to(path).parts)
    )


def _ends(file: Path) -> bytes:
    with file.open("rb") as opened:
        start = opened.read(_END)
        opened.seek(max(_END, file.stat().st_size - _END))
        return start + opened.read()


def _folder_or_hub(model: str, info: ValidationInfo) -> str:
    found = beside_the_recipe(model, info)
    if found.exists():
        return str(found.resolve())
    if model.startswith((".", "/", "~")):
        raise ValueError(f"no folder {model!r} beside the recipe")
    return model


def _as_content(model: str) -> str:
    return known_by(Path(model)) if Path(model).is_absolute() else model


ModelName = Annotated[str, AfterValidator(_folder_or_hub), PlainSerializer(_as_content)]
"""A name on the Hub, or a folder relative to the recipe; a folder is dumped as name and content."""
