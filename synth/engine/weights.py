"""A model that lies on this machine: found beside the recipe, known by what it holds."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

from pydantic import ValidationInfo

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
