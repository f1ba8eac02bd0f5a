"""Code as a row of tokens in which nothing is left that an author would change to hide its origin.

Comments and docstrings go, names become `v`, white space does not count. What is left is keywords,
builtins, operators, numbers and texts, in their order.
"""

from __future__ import annotations

import builtins
import keyword
import re

from synth import CodeBlock, Record

# What is opened and never closed runs to the end: looking for its end at each opening anew would
# take the square of the time.
_STRING = r"""[rbuf]{0,2}"(?:\\.|[^"\\\n])*"|[rbuf]{0,2}'(?:\\.|[^'\\\n])*'"""
_COMMON = r"""|(?P<name>[^\W\d]\w*)|(?P<number>\d[\w.]*)|(?P<mark>[^\w\s])"""
_HASH = (
    r'''(?P<dropped>[rbuf]{0,2}"""(?s:.*?)(?:"""|\Z)'''
    r"""|[rbuf]{0,2}'''(?s:.*?)(?:'''|\Z)"""
    rf"""|^[ \t]*(?:{_STRING})[ \t]*$|\#[^\n]*)|(?P<text>{_STRING})"""
)
_SLASHES = rf"""(?P<dropped>//[^\n]*|/\*(?s:.*?)(?:\*/|\Z))|(?P<text>{_STRING}|`(?:\\.|[^`\\])*`)"""
_TOKENS = {
    "hash": re.compile(_HASH + _COMMON, re.IGNORECASE | re.MULTILINE),
    "slashes": re.compile(_SLASHES + _COMMON, re.IGNORECASE),
}
_OTHERS = """
    function const let var new this null undefined true false typeof void switch case default do int
    float double char bool public private static final struct enum interface extends throw
    implements throws catch func fn mut impl
"""
_FENCES = ("```", "~~~")
_KEPT = frozenset([*keyword.kwlist, *dir(builtins), *_OTHERS.split()])
_C_LIKE = frozenset(
    [
        *("javascript", "js", "jsx", "typescript", "ts", "tsx", "java", "c", "cpp", "c++"),
        *("csharp", "cs", "c#", "go", "rust", "rs", "swift", "kotlin", "scala", "php", "dart"),
    ]
)


def stream(code: str, language: str = "python") -> str:
    """Return the tokens of code with one space between, names as `v`.

    Comments are those of Python and the shells, with a text that stands alone on its lines; or
    those of C, where the language is one of its family.
    """
    style = "slashes" if language.lower() in _C_LIKE else "hash"
    return " ".join(
        "v" if token.lastgroup == "name" and token.group() not in _KEPT else token.group()
        for token in _TOKENS[style].finditer(code)
        if token.lastgroup != "dropped"
    )


def code_in(text: str, record: Record) -> list[str]:
    """Return the streams of the fenced blocks of a text, and of the record's field `code`."""
    fenced = CodeBlock.all_in(text) if any(fence in text for fence in _FENCES) else ()
    found = [stream(block.code, block.language) for block in fenced]
    given = record.fields.get("code")
    return [*found, stream(given)] if isinstance(given, str) else found
