"""A model of transformers, loaded: from a folder, from the Hub's cache here, last from the Hub."""
# torch and transformers are not installed where types are checked.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from synth.errors import EngineRefused, InputError

Dtype = Literal["float32", "bfloat16", "float16"]
Kind = Literal["AutoModelForCausalLM", "AutoModelForSequenceClassification"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which weights, and how they are held."""

    kind: Kind
    model: str
    revision: str | None = None
    tokenizer: str | None = None
    dtype: Dtype | None = None
    """By default bfloat16 on a GPU and float32 on the CPU."""
    device: str | None = None
    """By default the first GPU, or the CPU."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that is ready to compute."""

    network: Any
    tokenizer: Any
    device: str
    context_tokens: int | None
    """The longest text that it can read; None if its configuration does not say."""


def load(wanted: Wanted) -> Loaded:
    """Return the model and its tokenizer: seconds to minutes.

    Raises InputError if transformers is missing, EngineRefused if there is no such model or it
    cannot be loaded. Code that comes with a model is never run.
    """
    torch, transformers = _packages()
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    device = wanted.device or ("cuda" if torch.cuda.is_available() else "cpu")
    dtype = wanted.dtype or ("bfloat16" if device.startswith("cuda") else "float32")
    network = _found(
        wanted,
        lambda offline: getattr(transformers, wanted.kind).from_pretrained(
            wanted.model,
            dtype=getattr(torch, dtype),
            revision=wanted.revision,
            local_files_only=offline,
        ),
    )
    tokenizer = _found(
        wanted,
        lambda offline: transformers.AutoTokenizer.from_pretrained(
            wanted.tokenizer or wanted.model,
            revision=None if wanted.tokenizer else wanted.revision,
            local_files_only=offline,
        ),
    )
    if not tokenizer.is_fast:
        raise EngineRefused(
            f"the tokenizer of {_name(wanted)!r} is a slow one, which does not tell where in a "
            "text its tokens are; convert it to tokenizer.json"
        )
    try:
        network = network.to(device).eval()
    except (RuntimeError, AssertionError) as error:
        raise _refused(wanted, error) from error
    config = network.config.get_text_config()
    return Loaded(network, tokenizer, device, getattr(config, "max_position_embeddings", None))


def _packages() -> tuple[Any, Any]:
    try:
        import torch
        import transformers
    except ImportError as error:
        raise InputError(
            "the engine 'hf' wants the packages torch and transformers, which cannot be imported "
            f"({error}); install them: pip install 'expertsynth[hf]'"
        ) from error
    return torch, transformers


def _found(wanted: Wanted, load_from: Callable[[bool], Any]) -> Any:
    """Return what is loaded without the network, if it is here, or else with it."""
    try:
        try:
            return load_from(True)
        except OSError:
            if Path(wanted.model).is_absolute():
                raise
            return load_from(False)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError) as error:
        raise _refused(wanted, error) from error


def _refused(wanted: Wanted, error: Exception) -> EngineRefused:
    said = " ".join(str(error).split())[:300]
    return EngineRefused(
        f"transformers cannot load {_name(wanted)!r}: {type(error).__name__}: {said}; name a "
        "folder beside the recipe that `save_pretrained` wrote, or a model of the Hub"
    )


def _name(wanted: Wanted) -> str:
    return Path(wanted.model).name if Path(wanted.model).is_absolute() else wanted.model
