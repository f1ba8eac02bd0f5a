"""Code as a row of tokens in which nothing is left that an author would change to hide its origin.

Comments and docstrings go, names become `v`, white space does not count. What is left is keywords,
builtins, operators, numbers and texts, in their order.
"""

from __future__ import annotations

import builtins
import keyword
import re

from synth import CodeBlock, Record

_TOKENS = re.compile(
    r"""(?P<doc>[rbu]?\"\"\".*?\"\"\"|[rbu]?'''.*?''')"""
    r"""|(?P<text>[rbuf]{0,2}"(?:\\.|[^"\\\n])*"|[rbuf]{0,2}'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)"""
    r"""|(?P<hash>\#[^\n]*)|(?P<slashes>//[^\n]*)|(?P<block>/\*.*?\*/)"""
    r"""|(?P<name>[^\W\d]\w*)|(?P<number>\d[\w.]*)|(?P<mark>[^\w\s])""",
    re.DOTALL | re.IGNORECASE,
)
_OTHERS = """
    function const let var new this null undefined true false typeof void switch case default do int
    float double char bool public private static final struct enum interface extends throw
    implements throws catch func fn mut impl
"""
_KEPT = frozenset([*keyword.kwlist, *dir(builtins), *_OTHERS.split()])
_C_LIKE = frozenset(
    [
        *("javascript", "js", "typescript", "ts", "java", "c", "cpp", "c++", "csharp", "cs"),
        *("go", "rust", "swift", "kotlin", "scala", "php"),
    ]
)


def stream(code: str, language: str = "python") -> str:
    """Return the tokens of code with one space between, names as `v`."""
    c_like = language in _C_LIKE
    dropped = {"slashes", "block"} if c_like else {"hash", "doc"}
    found: list[str] = []
    for token in _TOKENS.finditer(code):
        kind = token.lastgroup or ""
        if kind in dropped:
            continue
        found += _parts(kind, token.group(), c_like=c_like)
    return " ".join(found)


def _parts(kind: str, token: str, *, c_like: bool) -> list[str]:
    if kind == "name":
        return [token if token in _KEPT else "v"]
    if kind in ("hash", "slashes", "block", "doc"):  # no comment in this language
        return (
            stream(token[1:], "c" if c_like else "python").split(" ") if len(token) > 1 else [token]
        )
    return [token]


def code_in(record: Record) -> list[str]:
    """Return the streams of all code of a record: its field `code`, and each fenced block."""
    found = [
        stream(block.code, block.language or "python")
        for message in record.messages
        for block in CodeBlock.all_in(message["content"])
    ]
    given = record.fields.get("code")
    return [*found, stream(given)] if isinstance(given, str) else found
