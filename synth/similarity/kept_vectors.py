"""Vectors of texts that are asked for again and again: computed once, kept in the user's cache."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synth.similarity.distilled import cache_folder
from synth.similarity.embedding import Embedding


def kept_vectors(embedding: Embedding, texts: Sequence[str]) -> NDArray[np.float32]:
    """Return what `embedding.embed(texts)` does; the second time from a file.

    The file's name tells model and texts, and it appears whole or not at all. Where the cache
    cannot be written, or holds what is no such file, vectors are computed.
    """
    hashed = blake2b(embedding.content.encode(), digest_size=16)
    for text in texts:
        hashed.update(f"|{len(text)}|{text}".encode("utf-8", "surrogatepass"))
    file = cache_folder() / f"vectors-{hashed.hexdigest()}.npy"
    with suppress(OSError, ValueError, EOFError):
        kept: NDArray[np.float32] = np.load(file)
        if len(kept) == len(texts):
            return kept
    vectors = embedding.embed(texts)
    with suppress(OSError):
        _keep(file, vectors)
    return vectors


def _keep(file: Path, vectors: NDArray[np.float32]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=file.parent, prefix=".making-", delete=False) as made:
        try:
            np.save(made, vectors)
            made.close()
            Path(made.name).replace(file)
        except OSError:
            Path(made.name).unlink(missing_ok=True)
            raise
