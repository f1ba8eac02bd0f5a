"""Whether a text is a Python program, without running any of it."""

from __future__ import annotations

import ast
import warnings


def parsed(code: str) -> ast.Module:
    """Return the syntax tree of a program that this Python compiles; warnings do not count.

    Raises ValueError `does_not_compile: line N: …` for anything that it refuses, whatever it
    raises: a text that is no program, one with NUL bytes, one that nests too deeply.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(code, "code.py")
            compile(code, "code.py", "exec", dont_inherit=True)
    except SyntaxError as error:
        line = f"line {error.lineno}: " if error.lineno else ""
        raise ValueError(f"does_not_compile: {line}{error.msg}") from error
    except (RecursionError, MemoryError) as error:
        raise ValueError("does_not_compile: it nests too deeply for Python") from error
    except (ValueError, OverflowError) as error:
        raise ValueError(f"does_not_compile: {error}") from error
    return tree
