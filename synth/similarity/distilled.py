"""A static model made once from a transformer, and kept in the user's cache folder.

Each token of the vocabulary is run through the transformer by itself; a text is then the mean of
its tokens' vectors (Tulkens and van Dongen, "Model2Vec", 2024). The files are laid out as
model2vec's.
"""
# safetensors has no types where it is absent, and tokenizers has none at all.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synth.errors import StorageError

if TYPE_CHECKING:
    from synth.similarity.bert import Bert

_DIMS = 256
_FREQUENT = 1e-4
"""Frequent tokens weigh less: Arora et al., "A Simple but Tough-to-Beat Baseline", 2017."""


def distilled(source: Path, name: str) -> Path:
    """Return the folder of the static model made of the one in `source`; make it if it lacks.

    `name` tells its content: the same name is never made again. It appears whole or not at all, and
    two processes that make it at once end up with one of both. Takes 25 s on two cores and leaves
    16 MB. Raises StorageError if the folder cannot be written.
    """
    folder = cache_folder() / name
    if folder.is_dir():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    except OSError as error:
        raise StorageError(
            f"cannot keep the static embedding model in {str(folder.parent)!r} ({error}); "
            "set XDG_CACHE_HOME to a folder that can be written"
        ) from error
    try:
        _write(source, made)
        return _put(made, folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)


def cache_folder() -> Path:
    """Return where the user's computer keeps what can be made again; XDG_CACHE_HOME decides."""
    if given := os.environ.get("XDG_CACHE_HOME"):
        return Path(given) / "expertsynth"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "expertsynth"
    return Path.home() / ".cache" / "expertsynth"


def _put(made: Path, folder: Path) -> Path:
    try:
        made.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another process was quicker, and its model is as good
            raise
    return folder


def _write(source: Path, folder: Path) -> None:
    from safetensors.numpy import save_file

    from synth.similarity.bert import Bert

    bert = Bert(source)
    vectors = _vectors(bert)
    save_file({"embeddings": vectors}, folder / "model.safetensors")
    bert.tokenizer.no_truncation()
    bert.tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    config = {"model_type": "model2vec", "normalize": True, "hidden_dim": vectors.shape[1]}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")


def _vectors(bert: Bert) -> NDArray[np.float16]:
    """Return (tokens, 256) float16: main components, the frequent tokens made shorter."""
    vectors = np.concatenate(list(bert.of_each_token())).astype(np.float64)
    vectors -= vectors.mean(axis=0)
    _, components = np.linalg.eigh(vectors.T @ vectors)
    main = vectors @ components[:, ::-1][:, :_DIMS]
    # BERT's vocabulary is sorted by frequency, more or less: Zipf's law gives what each token has.
    share = 1 / np.arange(2, len(main) + 2)
    share /= share.sum()
    weighted = main * (_FREQUENT / (_FREQUENT + share))[:, None]
    return np.ascontiguousarray(weighted, np.float16)
