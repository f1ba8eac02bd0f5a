"""The form of all that a recipe can spell: frozen options that refuse what they do not know."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer, ValidationInfo


class Frozen(BaseModel):
    """Options as typed fields: immutable, unknown names refused, docstrings are their help."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        validate_default=True,
    )


def spelled(written: Any) -> Mapping[str, Any] | None:
    """Return options as a recipe spells them, or None if these are none.

    For a validator of kind "before", whose defaults depend on other options.
    """
    return cast("Mapping[str, Any]", written) if isinstance(written, Mapping) else None


def content_digest(path: Path) -> str:
    """Return 16 hexadecimal digits for what a file holds, or a folder's files and their names."""
    hashed = blake2b(digest_size=8)
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    for file in files:
        hashed.update(f"|{file.relative_to(path).as_posix()}|".encode())
        with file.open("rb") as opened:
            while chunk := opened.read(1 << 20):
                hashed.update(chunk)
    return hashed.hexdigest()


def _beside_the_recipe(path: Path, info: ValidationInfo) -> Path:
    context: dict[str, Path] = info.context or {}
    found = context.get("folder", Path()) / path
    if not found.exists():
        raise ValueError(f"no file or folder {str(path)!r} beside the recipe")
    return found


def _as_content(path: Path) -> str:
    return f"content {content_digest(path)}"


RecipeFile = Annotated[Path, AfterValidator(_beside_the_recipe), PlainSerializer(_as_content)]
"""A file or folder named by a recipe, relative to it. Dumped as the digest of its content: keys and
identities that hold it change with what the file says, and never with where it lies."""


def validated(cls: type[Any], options: Any, *, folder: Path) -> Any:
    """Return `cls` made from a recipe's options, with its files looked up in `folder`."""
    return cls.model_validate(options, context={"folder": folder})
