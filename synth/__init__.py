"""Make and curate expert data for language models.

These names, and nothing else, are what a plugin may import. They are loaded when first used, so
that `import synth` costs next to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synth.answers import Answer
    from synth.answers.blocks import CodeBlock
    from synth.engine.base import Chat, Completion, Engine, Origin, Sampling, Text, TokenLogprobs
    from synth.errors import CallFailed, Outage
    from synth.frozen import Frozen, RecipeFile
    from synth.prompt import Prompt
    from synth.record import Message, Record, Verdict
    from synth.sandbox import Sandbox
    from synth.services import Services
    from synth.stage import Stage
    from synth.tokens import TokenizerFile, count_tokens
    from synth.verification import ModelVerifier, Verifier, verifier

_HOME = {
    "Answer": "answers",
    "CallFailed": "errors",
    "Chat": "engine.base",
    "CodeBlock": "answers.blocks",
    "Completion": "engine.base",
    "Engine": "engine.base",
    "Frozen": "frozen",
    "Message": "record",
    "ModelVerifier": "verification",
    "Origin": "engine.base",
    "Outage": "errors",
    "Prompt": "prompt",
    "RecipeFile": "frozen",
    "Record": "record",
    "Sampling": "engine.base",
    "Sandbox": "sandbox",
    "Services": "services",
    "Stage": "stage",
    "Text": "engine.base",
    "TokenLogprobs": "engine.base",
    "TokenizerFile": "tokens",
    "Verdict": "record",
    "Verifier": "verification",
    "count_tokens": "tokens",
    "verifier": "verification",
}

__all__ = [
    "Answer",
    "CallFailed",
    "Chat",
    "CodeBlock",
    "Completion",
    "Engine",
    "Frozen",
    "Message",
    "ModelVerifier",
    "Origin",
    "Outage",
    "Prompt",
    "RecipeFile",
    "Record",
    "Sampling",
    "Sandbox",
    "Services",
    "Stage",
    "Text",
    "TokenLogprobs",
    "TokenizerFile",
    "Verdict",
    "Verifier",
    "count_tokens",
    "verifier",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module."""
    if name not in _HOME:
        raise AttributeError(f"module 'synth' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"synth.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """Return the public names."""
    return list(__all__)
