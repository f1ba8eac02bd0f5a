"""The public API is what `synth.__all__` says: few names, each there, each explained."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

import synth

SOURCE = ast.parse(Path(inspect.getfile(synth)).read_text("utf-8"))


def names_for_the_type_checker() -> set[str]:
    """Return what `synth/__init__.py` imports under TYPE_CHECKING."""
    block = next(node for node in SOURCE.body if isinstance(node, ast.If))
    imports = [node for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name for node in imports for alias in node.names}


def test_the_type_checker_and_python_see_the_same_names():
    assert names_for_the_type_checker() == set(synth.__all__)


def test_no_name_is_listed_twice():
    assert len(synth.__all__) == len(set(synth.__all__))


def test_the_public_names_are_few():
    assert len(synth.__all__) <= 25


@pytest.mark.parametrize("name", synth.__all__)
def test_a_public_name_resolves_and_says_what_it_is(name: str):
    member = getattr(synth, name)

    # A dataclass without a docstring gets its signature as one.
    said = inspect.getdoc(member) or ""
    assert said
    assert not said.startswith(f"{name}(")


def test_dir_lists_the_public_names_before_they_are_used():
    assert set(synth.__all__) <= set(dir(synth))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'Verifyer'"):
        getattr(synth, "Verifyer")  # noqa: B009 (the type checker would refuse it as written)
