"""From a name in a recipe to what it stands for: files, folders, shipped sets, the Hub.

A folder with files of rows stands for these; one without stands for the documents in it and below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from importlib import resources
from pathlib import Path
from re import compile as pattern

from synth.errors import SeedError, did_you_mean
from synth.frozen import content_digest
from synth.record import digest
from synth.seed import documents
from synth.seed.parts import Part, Rows, SeedSource, checked
from synth.store.text_rows import Row, csv_rows, json_file, json_lines


def find(name: str, folder: Path) -> SeedSource:
    """Return the source called `name`, once each of its files was found to have a good row."""
    if name.startswith(_HUB):
        return SeedSource(name, (_hub(name),), at_hand=False)
    try:
        path, split = _located(name, folder)
        parts = _parts(path, _shown(name), split)
    except OSError as error:
        raise SeedError(f"could not look up {name!r}: {error.strerror or error}") from error
    for part in parts:
        next(seed for seed in checked(part) if not seed.problem)
    return SeedSource(name, parts)


def _shown(name: str) -> str:
    """Return the name as records may tell it: the same wherever the file lies."""
    return Path(name).name if Path(name).is_absolute() else name


def _located(name: str, folder: Path) -> tuple[Path, str]:
    """Return where a name leads, and the split after `#` if there is one."""
    before, _, split = name.rpartition("#")
    for written, chosen in ((name, ""), (before, split)):
        if written and (folder / written).exists():
            return folder / written, chosen
    if (path := _shipped_paths().get(name)) is not None:
        return path, ""
    hint = did_you_mean(name, [*shipped(), *_nearby(name, folder)])
    raise SeedError(f"no seed set, file or folder {name!r}. {hint}".rstrip())


def _nearby(name: str, folder: Path) -> list[str]:
    """Return similar names in the folder where `name` should be, as the recipe would write them."""
    parent = Path(name).parent
    around = folder / parent
    names = [str(parent / path.name) for path in around.iterdir()] if around.is_dir() else []
    return get_close_matches(name, names, n=3)


def shipped() -> list[str]:
    """Return the names of the seed sets that come with synth, sorted."""
    return sorted(_shipped_paths())


def _shipped_paths() -> dict[str, Path]:
    sets = Path(str(resources.files("synth.seeds")))
    folders = {path.name: path for path in sets.iterdir() if path.is_dir() and _files(path)}
    return {path.stem: path for path in sets.glob("*.jsonl")} | folders


def _parts(path: Path, shown: str, split: str) -> tuple[Part, ...]:
    if path.is_dir() and any((path / name).is_file() for name in _SAVED_DATASET):
        return (_saved_dataset(path, shown, split),)
    if split:
        raise SeedError(
            f"{shown!r} asks for the split {split!r}, but only a `datasets` folder has any"
        )
    if path.is_file():
        return (_file(path, shown),)
    files = _files(path)
    if not files:
        return (_folder_of_documents(path, shown),)
    _refuse_mixture(path, shown, files[0])
    return tuple(_file(file, f"{shown.rstrip('/')}/{file.name}") for file in files)


def _folder_of_documents(path: Path, shown: str) -> Rows:
    found = documents.below(path, shown)
    if not found:
        raise SeedError(f"wanted seeds in the folder {shown!r}, found no file of {_KNOWN_FORMATS}")
    return _documents(found, shown)


def _refuse_mixture(folder: Path, shown: str, data: Path) -> None:
    """Raise SeedError if documents lie beside rows: a README explains the rows, others are lost."""
    beside = (path for path in folder.iterdir() if documents.is_document(path))
    lost = sorted(path.name for path in beside if path.stem.lower() not in _ABOUT_THE_ROWS)
    if lost:
        raise SeedError(
            f"wanted rows or documents in the folder {shown!r}, found both: {data.name!r} and "
            f"{lost[0]!r}; name the files one by one or give each kind its own folder"
        )


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and _format(path) in _READERS)


def _format(path: Path) -> str:
    """Return the suffix that tells the format: `.jsonl` for `seeds.jsonl.gz`."""
    return Path(path.stem if path.suffix.lower() == ".gz" else path.name).suffix.lower()


def _file(path: Path, shown: str) -> Rows:
    if documents.is_document(path):
        return _documents([documents.one(path, shown)], shown)
    reader = _READERS.get(_format(path))
    if reader is None:
        raise SeedError(f"wanted a file of {_KNOWN_FORMATS}, found {shown!r}")
    return Rows(shown, partial(reader, path, shown), partial(_content, shown, (path,)))


def _content(shown: str, paths: Sequence[Path]) -> str:
    # The name counts too: it stands in the records of bad rows.
    return digest("content", shown, *(content_digest(path) for path in paths))


def _documents(found: Sequence[documents.Document], shown: str) -> Rows:
    read = partial(documents.rows, found)
    return Rows(shown, read, partial(documents.fingerprint, shown, found))


def _parquet_rows(path: Path, shown: str) -> Iterator[Row]:
    from synth.store import table

    return table.parquet_rows(path, shown)


def _saved_dataset(folder: Path, shown: str, split: str) -> Rows:
    from synth.store import table

    files = table.saved_files(folder, shown, split)
    return Rows(shown, partial(table.arrow_rows, files, shown), partial(_content, shown, files))


def _hub(name: str) -> Rows:
    from synth.store import table

    matched = _HUB_NAME.fullmatch(name)
    if matched is None:
        raise SeedError(
            f"wanted `hub:org/name`, `hub:org/name:config` or either with `#split`, found {name!r}"
        )
    split = table.HubSplit(name, *matched.groups())
    return Rows(name, split.rows, split.fingerprint)


_READERS: dict[str, Callable[[Path, str], Iterator[Row]]] = {
    ".jsonl": json_lines,
    ".ndjson": json_lines,
    ".json": json_file,
    ".csv": csv_rows,
    ".tsv": partial(csv_rows, delimiter="\t"),
    ".parquet": _parquet_rows,
}
_KNOWN_FORMATS = (
    f"a known format (rows: {', '.join(_READERS)}, those of text also with .gz; "
    f"documents: {documents.FORMATS})"
)
_ABOUT_THE_ROWS = ("readme", "license", "changelog")
_SAVED_DATASET = ("dataset_dict.json", "state.json")
_HUB = "hub:"
_HUB_NAME = pattern(r"hub:([\w.-]+/[\w.-]+)(?::([^#]+))?(?:#(.+))?")
