"""A model's chat template, rendered here: how the model itself writes a conversation.

Templates come with models, from strangers: they run in Jinja's sandbox. The names that they expect
are there, except `strftime_now`: a prompt that changes with the date could not be answered from the
store.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import TemplateError, TemplateSyntaxError, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from synth.engine.openai_wire import as_list, as_object
from synth.errors import CallFailed
from synth.record import Message


class _Generation(Extension):
    """`{% generation %}` marks what a model wrote, for training masks; here it means nothing."""

    tags = {"generation"}  # noqa: RUF012 (jinja2's interface)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        """Return what stands between the tags."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)


def _to_json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


_environment = ImmutableSandboxedEnvironment(
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=[_Generation, "jinja2.ext.loopcontrols"],
)
_environment.filters["tojson"] = _to_json
_environment.globals["raise_exception"] = _refuse  # pyright: ignore[reportArgumentType] (typed too narrowly)


class ChatTemplate:
    """A template with its special tokens. Raises ValueError for one that does not compile."""

    def __init__(self, source: str, tokens: Mapping[str, str] | None = None) -> None:
        self.source = source
        self.tokens = dict(tokens or {})
        """`bos_token`, `eos_token` and the like, by name."""
        try:
            self._template = _environment.from_string(source)
        except TemplateSyntaxError as error:
            raise ValueError(
                f"the chat template does not parse, line {error.lineno}: {error.message}"
            ) from error

    @classmethod
    def read(cls, path: Path) -> ChatTemplate:
        """Return the template in a Jinja file or a tokenizer's folder.

        A folder has `chat_template.jinja`, or a template in `tokenizer_config.json`. The latter
        tells the special tokens, for a file too if it lies beside. Raises ValueError if there is
        none.
        """
        folder = path if path.is_dir() else path.parent
        config = _config(folder / "tokenizer_config.json")
        file = folder / "chat_template.jinja" if path.is_dir() else path
        if file.is_file():
            return cls(file.read_text("utf-8"), _special_tokens(config))
        source = _source(config.get("chat_template"))
        if source is None:
            raise ValueError(
                f"wanted chat_template.jinja, or a tokenizer_config.json with a chat template, "
                f"in the folder {folder.name!r}; found neither"
            )
        return cls(source, _special_tokens(config))

    def render(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return `messages` as text; `reply_next` adds the header of the assistant's turn.

        Raises CallFailed if the template refuses them (`roles must alternate`) or breaks.
        """
        try:
            return self._template.render(
                **self.tokens, messages=list(messages), add_generation_prompt=reply_next
            )
        except (TemplateError, TypeError, ValueError, KeyError) as error:
            raise CallFailed(f"chat_template_failed: {error}") from error


def has_no_template(folder: Path) -> bool:
    """Return whether a model's folder brings a tokenizer's settings, and no chat template."""
    if not (folder / "tokenizer_config.json").is_file() or any(folder.glob("chat_template.*")):
        return False
    if (folder / "tekken.json").is_file():  # Mistral's own format: its package has the template
        return False
    return not _config(folder / "tokenizer_config.json").get("chat_template")


def _config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        config = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is no JSON: {error}") from error
    return as_object(config)


def _special_tokens(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the tokens that templates know by name; old files wrap them in an object."""
    found = {name: value for name, value in config.items() if name.endswith("_token")}
    named = {name: as_object(value).get("content", value) for name, value in found.items()}
    return {name: value for name, value in named.items() if isinstance(value, str)}


def _source(template: Any) -> str | None:
    """Return a tokenizer's template: a text, or the one called `default` of several."""
    for named in as_list(template):
        if as_object(named).get("name") == "default":
            template = as_object(named).get("template")
    return template if isinstance(template, str) else None
