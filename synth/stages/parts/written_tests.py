"""Tests as a model wrote them, read into the forms in which they are run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from synth.answers.blocks import CodeBlock
from synth.stages.parts.replies import MalformedError, json_in
from synth.stages.parts.test_source import single_tests

Kind = Literal["asserts", "inputs_outputs", "programs"]
Test = dict[str, Any]
_BLOCK_REASONS = {"no_code": "no_tests", "cut_off_code": "cut_off_tests"}


def tests_in(text: str, kind: Kind, entry_point: str) -> list[Test]:
    """Return the tests of a reply, in order, at least one.

    `asserts`: `{source}` for each test of its only block (see `single_tests`). `inputs_outputs`:
    `{args, kwargs, expected}` or `{args, kwargs, raises}`; `programs`: `{stdin, stdout}`, from a
    JSON list. Raises MalformedError: `no_tests`, `several_blocks`, `cut_off_tests`,
    `unreadable_tests`, and what `single_tests` raises.
    """
    if kind == "asserts":
        return [{"source": source} for source in single_tests(_block(text), entry_point)]
    read = _called if kind == "inputs_outputs" else _run
    return [read(item, number) for number, item in enumerate(_items(text), start=1)]


def _block(text: str) -> str:
    try:
        return CodeBlock.only_in(text).code
    except ValueError as error:
        code, _, sentence = str(error).partition(": ")
        raise MalformedError(f"{_BLOCK_REASONS.get(code, code)}: {sentence}") from error


def _items(text: str) -> Sequence[Any]:
    try:
        found = json_in(text)
    except MalformedError as error:
        raise MalformedError("unreadable_tests: wanted a JSON list, found no JSON") from error
    if not isinstance(found, list):
        raise MalformedError(f"unreadable_tests: wanted a list, found {type(found).__name__}")
    if not found:
        raise MalformedError("no_tests: the list is empty")
    return cast("list[Any]", found)


def _called(item: Any, number: int) -> Test:
    test = _object(item, number)
    args, kwargs = test.get("args", []), test.get("kwargs", {})
    if not isinstance(args, list) or not isinstance(kwargs, dict):
        raise _unreadable(number, "a list `args` and an object `kwargs`")
    called: Test = {"args": args, "kwargs": kwargs}
    if "expected" in test:
        return {**called, "expected": test["expected"]}
    if isinstance(test.get("raises"), str):
        return {**called, "raises": test["raises"]}
    raise _unreadable(number, "`expected`, or a name in `raises`")


def _run(item: Any, number: int) -> Test:
    test = _object(item, number)
    stdin, stdout = test.get("stdin", ""), test.get("stdout")
    if not isinstance(stdin, str) or not isinstance(stdout, str):
        raise _unreadable(number, "the texts `stdin` and `stdout`")
    return {"stdin": stdin, "stdout": stdout}


def _object(item: Any, number: int) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise _unreadable(number, "an object")
    return cast("dict[str, Any]", item)


def _unreadable(number: int, wanted: str) -> MalformedError:
    return MalformedError(f"unreadable_tests: test {number} wants {wanted}")
