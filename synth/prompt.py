"""Prompts: Jinja files cut into messages at `--- role` lines.

A file is cut *before* it is rendered, so a seed that contains such a line stays plain text.
Templates are sandboxed, and a name that the record lacks is an error of that record, never an empty
string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from synth.errors import Problem, RecipeError, did_you_mean
from synth.record import Message, Record

ROLES = ("system", "user", "assistant", "tool")
_ROLE_LINE = re.compile(r"^--- *(\w+) *$", re.MULTILINE)
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
_environment = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False
)


class Prompt:
    """A template of messages. Equal `source`, equal prompt: its text is part of a stage's key.

    Raises RecipeError, with file and line, for a template that cannot be compiled.
    """

    def __init__(self, source: str, *, file: str = "") -> None:
        self.source = source
        self.file = file
        self._parts = self._cut()

    @classmethod
    def read(cls, path: Path, *, shown: str = "") -> Prompt:
        """Return the prompt in a file. Raises RecipeError if it cannot be read or compiled."""
        try:
            return cls(path.read_text("utf-8-sig"), file=shown or path.name)
        except FileNotFoundError as error:
            there = [file.name for file in path.parent.glob("*.jinja")]
            hint = did_you_mean(path.name, there)
            message = f"no prompt file {shown or path.name!r} beside the recipe. {hint}"
            raise RecipeError(message.strip()) from error
        except (OSError, UnicodeDecodeError) as error:
            said = error.strerror if isinstance(error, OSError) else error
            message = f"wanted a prompt file {shown or path.name!r}, could not read it: {said}"
            raise RecipeError(message) from error

    def _cut(self) -> tuple[tuple[str, Template], ...]:
        # Cut before rendering: a seed that contains such a line must stay plain text.
        preamble, *parts = _ROLE_LINE.split(self.source.replace("\r\n", "\n"))
        if not parts:
            return (("user", self._compile(preamble, 0)),)
        if _COMMENT.sub("", preamble).strip():
            self._wrong("text before the first '--- role' line; move it below one", 1)
        cut: list[tuple[str, Template]] = []
        line = preamble.count("\n")
        for role, body in zip(parts[::2], parts[1::2], strict=True):
            if role not in ROLES:
                self._wrong(f"no role {role!r}. {did_you_mean(role, ROLES)}", line + 1)
            cut.append((role, self._compile(body, line)))
            line += body.count("\n")
        return tuple(cut)

    def _compile(self, body: str, above: int) -> Template:
        lead = len(body) - len(body.lstrip())
        above += body[:lead].count("\n")
        try:
            return _environment.from_string(body.strip())
        except TemplateSyntaxError as error:
            self._wrong(f"the template does not parse: {error.message}", above + error.lineno)

    def _wrong(self, message: str, line: int) -> NoReturn:
        raise RecipeError(Problem(message, self.file, line))

    @cached_property
    def roles(self) -> tuple[str, ...]:
        """The roles of the messages, in order."""
        return tuple(role for role, _ in self._parts)

    def render(self, names: Mapping[str, Any]) -> tuple[Message, ...]:
        """Return the messages with `names` filled in. Raises ValueError, naming what is missing."""
        try:
            return tuple(
                Message(role=role, content=template.render(names)) for role, template in self._parts
            )
        except TemplateError as error:
            shown = f" ({self.file})" if self.file else ""
            raise ValueError(f"the prompt{shown} could not be filled in: {error}") from error


def names_of(record: Record, **more: Any) -> dict[str, Any]:
    """Return what a template may use: the record's fields by name, and the record's own words.

    Those are `fields`, `messages`, `instruction`, `reply`, and what `more` adds; a field of such a
    name is found in `fields`.
    """
    return {
        **record.fields,
        "fields": record.fields,
        "messages": record.messages,
        "instruction": record.instruction,
        "reply": record.reply,
        **more,
    }
