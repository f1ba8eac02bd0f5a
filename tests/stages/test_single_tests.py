"""Test source cut into single tests, each of which runs alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synth.stages.parts.replies import MalformedError
from synth.stages.parts.test_source import single_tests


def test_asserts_keep_what_stands_before_them():
    source = "import math\nx = f(1)\nassert x == 2\nx = f(2)\nassert x == 3; assert f(0) == 1\n"

    first, second, third = single_tests(source, "f")

    assert first == "import math\nx = f(1)\nassert x == 2\n"
    assert second == "import math\nx = f(1)\nx = f(2)\nassert x == 3\n"
    assert third.endswith("x = f(2)\nassert f(0) == 1\n")


def test_functions_keep_all_that_is_no_test_and_their_decorators():
    source = (
        '"""Tests."""\nimport pytest\n\n@pytest.mark.parametrize("a", [1, 2])\n'
        "def test_many(a):\n    assert near(f(a), a)\n\ndef test_one():\n    near(f(1), 1)\n\n"
        "def near(a, b):\n    assert abs(a - b) < 1\n\nclass TestF:\n    def test_it(self):\n"
        "        self.assertEqual(f(1), 1)\n\ntest_one()\n"
        'if __name__ == "__main__":\n    pytest.main()\n'
    )

    many, one, cls = single_tests(source, "f")

    shared = "import pytest\ndef near(a, b):\n    assert abs(a - b) < 1\n"
    assert many.startswith(f"{shared}@pytest.mark.parametrize('a', [1, 2])\ndef test_many(a):")
    assert one == f"{shared}def test_one():\n    near(f(1), 1)\n"
    assert "class TestF" in cls


def test_a_block_that_asserts_becomes_a_function():
    source = "from pytest import raises\nwith raises(ValueError):\n    f(-1)\n"

    [test] = single_tests(source, "f")

    assert test.startswith("from pytest import raises\ndef test_block():\n    with raises(")
    assert test.endswith("):\n        f(-1)\n")


def test_a_checker_of_a_candidate_is_one_test():
    source = "def check(candidate):\n    assert candidate(1) == 2\n\ncheck(f)\n"

    assert single_tests(source, "f") == ["def check(candidate):\n    assert candidate(1) == 2\n"]


def test_imports_of_the_solution_and_tests_of_other_things_go():
    source = "from your_module import f\nimport solution\nassert f(1) == 2\nassert 1 == 1\n"

    assert single_tests(source, "f") == ["import solution\nassert f(1) == 2\n"]


def test_a_method_is_used_by_way_of_its_class():
    assert single_tests("assert Stack().push(1) is None\n", "Stack.push")


@pytest.mark.parametrize(
    "source", ["try:\n    f = g\nexcept E:\n    pass\nassert f(1)", "f, x = g"]
)
def test_tests_that_bring_the_function_themselves_are_refused(source: str):
    with pytest.raises(MalformedError, match=r"^own_solution: "):
        single_tests(source, "f")


PIECES = [
    "assert f(1) == 2", "def test_a():\n    assert f(2)", "x = 1", "f(1)", "import f", ";", "\n",
    "\f", "\r", "if x:\n    assert f(0)", "# é", "'''é'''", "@f\nclass TestB: pass",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=4)).map("\n".join))
def test_any_source_is_tests_that_compile_or_a_reason(source: str):
    try:
        tests = single_tests(source, "f")
    except MalformedError:
        return

    for test in tests:
        compile(test, "test.py", "exec")
