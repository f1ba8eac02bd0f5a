"""JavaScript in the sandbox: calls, programs and tests give what node gives."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from synth import Sandbox
from synth.errors import InputError
from synth.sandbox import Result
from synth.sandbox.javascript import JAVASCRIPT
from synth.sandbox.levels import pool
from synth.testing import judge, record

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

NODE = Sandbox(language="javascript", cpu_s=5, wall_s=10)
LONGEST_ORDER = 1 << 16


def returned(code: str, *args: Any, entry_point: str = "f") -> Any:
    [result] = NODE.call(code, entry_point, [Sandbox.Call(args)]).results
    assert result.outcome == "returned", result
    return result.value


def raised(code: str, *args: Any, entry_point: str = "f") -> str:
    [result] = NODE.call(code, entry_point, [Sandbox.Call(args)]).results
    assert result.outcome == "error", result
    return result.message


def printed(code: str, stdin: str = "") -> str:
    ran = NODE.run(code, stdin)
    assert ran.results == (Result("returned"),)
    return ran.stdout


def outcomes(code: str, tests: str, **given: str) -> list[str]:
    return [result.outcome for result in NODE.check(code, tests, **given).results]


@pytest.mark.parametrize(
    "code",
    [
        "function f(a, b) { return a + b }",
        "const f = (a, b) => a + b;",
        "module.exports = { f: (a, b) => a + b }",
        "exports.f = function (a, b) { return a + b }",
        "module.exports = (a, b) => a + b",
        "export function f(a, b) { return a + b }",
        "import assert from 'node:assert';\nfunction f(a, b) { assert(a); return a + b }",
        "export default (a, b) => a + b",
        "async function f(a, b) { await new Promise((go) => setTimeout(go, 5)); return a + b }",
        "const extra = await Promise.resolve(0);\nexport const f = (a, b) => a + b + extra;",
        "f = function (a, b) { return a + b }",
        "function f(a, b) { return a + b } // the end",
    ],
)
def test_a_function_is_found_however_it_is_defined(code: str):
    assert returned(code, 2, 3) == 5


def test_a_method_is_that_of_a_new_instance():
    code = "class Solution { constructor() { this.two = 2 } twice(a) { return this.two * a } }"

    assert returned(code, 4, entry_point="Solution.twice") == 8


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 0, -7, 2**53, 2**70, -(2**70), 0.1, math.inf, "é\n😀", b"\0a"),
        *([1, [2]], {"a": {"__proto__": 3}}, {1: "a"}, {1, "b"}),
    ],
)
def test_values_come_back_as_they_went(value: Any):
    assert returned("function f(value) { return value }", value) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("undefined", None),
        ("2 ** 60", 2**60),
        ("1e21", 10**21),
        ("-0", 0),
        ("[, 1]", [None, 1]),
        ("new Map([['a', 1]])", {"a": 1}),
        ("new Set([1, 2])", {1, 2}),
        ("new Float64Array([1.5])", [1.5]),
        ("Buffer.from('hi')", b"hi"),
        ("Object.create(null)", {}),
    ],
)
def test_a_value_comes_back_as_what_is_nearest_in_python(expression: str, value: Any):
    assert returned(f"function f() {{ return {expression} }}") == value


@pytest.mark.parametrize(
    "expression", ["() => 1", "new Date(0)", "Symbol('a')", "new (class A {})"]
)
def test_what_is_no_value_is_equal_to_nothing(expression: str):
    value = returned(f"function f() {{ return {expression} }}")

    assert value != value  # noqa: PLR0124 (that is what opaque means)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("\nfunction f() { return null.x }", "TypeError: Cannot read properties of null"),
        ("class Own extends Error {}\nfunction f() { throw new Own('a') }", "Own: a (line 2)"),
        ("function f() { throw 5 }", "Thrown: 5"),
        ("async function f() { throw new RangeError('late') }", "RangeError: late (line 1)"),
        ("function f( {", "SyntaxError: "),
        ("require('lodash')", "ModuleNotFoundError: Cannot find module 'lodash' (line 1)"),
        ("import 'lodash'", "ModuleNotFoundError: Cannot find package 'lodash'"),
        ("function g() {}", "NoEntryPointError: the code defines no 'f'"),
        ("function f() { return new Promise(() => {}) }", "UnsettledError: it waits for"),
    ],
)
def test_what_is_raised_is_told_by_name_message_and_line(code: str, message: str):
    assert raised(code).startswith(message)


def test_a_global_of_the_language_is_no_entry_point():
    assert raised("function g() {}", "1", entry_point="parseInt").startswith("NoEntry")


def test_builtin_modules_are_no_globals():
    assert returned("function f() { return [typeof fs, typeof module, typeof require] }") == [
        *("undefined", "object", "function")
    ]


@pytest.mark.parametrize(
    "code",
    [
        "console.log(require('fs').readFileSync(0, 'utf8').length)",
        "console.log(require('fs').readFileSync('/dev/stdin', 'utf8').length)",
        "let n = 0; process.stdin.on('data', (d) => { n += d.length });"
        "process.stdin.on('end', () => console.log(n))",
        "import { createInterface } from 'node:readline';\nlet n = 0;\n"
        "const lines = createInterface({ input: process.stdin });\n"
        "for await (const line of lines) n += line.length + 1;\n"
        "console.log(n);",
        "if (require.main === module) setTimeout(() => console.log(4), 5)",
    ],
)
def test_a_program_reads_and_prints(code: str):
    assert printed(code, "a\nb\n") == "4\n"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("throw new TypeError('a')", "TypeError: a (line 1)"),
        ("setTimeout(() => { null.x }, 1)", "TypeError: Cannot read"),
        ("Promise.reject(new Error('b'))", "Error: b (line 1)"),
        ("process.exit(3)", "it ended itself with code 3"),
    ],
)
def test_a_program_that_fails_is_an_error(code: str, message: str):
    [result] = NODE.run(code).results

    assert result.outcome == "error"
    assert result.message.startswith(message)


ADD = "function add(a, b) { return a + b }\nmodule.exports = { add };"


@pytest.mark.parametrize(
    "tests",
    [
        "assert.equal(add(1, 2), 3);\nassert(add(1, 2) === 4);",
        "const assert = require('assert');\nconst { add } = require('./solution');\n"
        "assert.strictEqual(add(1, 2), 3);\nassert.deepEqual([add(1, 2)], [4]);",
        "import assert from 'node:assert/strict';\nimport test from 'node:test';\n"
        "import {\n  add,\n} from '../add.js';\ntest('a', async (t) => {\n"
        "  assert.equal(add(1, 2), 3);\n"
        "  await t.test('b', () => assert.equal(add(1, 2), 4));\n});",
        "describe('add', () => {\n  it('adds', () => { expect(add(1, 2)).toBe(3); });\n"
        "  it('fails', (done) => {\n"
        "    setTimeout(() => { expect(add(1, 2)).toEqual(4); done() }, 1);\n  });\n});",
        "const check = (candidate) => {\n  assert.equal(candidate(1, 2), 3);\n"
        "  assert.equal(candidate(1, 2), 4);\n};",
        "const testAdd = () => {\n  console.assert(add(1, 2) === 3);\n"
        "  console.assert(add(1, 2) === 4);\n};\ntestAdd();",
    ],
)
def test_each_assert_is_a_result_in_every_style(tests: str):
    ran = NODE.check(ADD, tests, entry_point="add")

    assert [result.outcome for result in ran.results] == ["pass", "fail"]
    assert ran.integrity == "strong"


@pytest.mark.parametrize(
    ("holds", "fails"),
    [
        ("toBe(3)", "toBe('3')"),
        ("toBeCloseTo(3.001)", "toBeCloseTo(3.1)"),
        ("toBeGreaterThan(2)", "toBeGreaterThan(3)"),
        ("toBeGreaterThanOrEqual(3)", "toBeGreaterThanOrEqual(4)"),
        ("toBeLessThan(4)", "toBeLessThan(3)"),
        ("toBeTruthy()", "toBeFalsy()"),
        ("toBeDefined()", "toBeUndefined()"),
        ("not.toBeNull()", "toBeNull()"),
        ("toEqual(expect.any(Number))", "toEqual(expect.any(String))"),
        ("not.toBe(4)", "not.toBe(3)"),
    ],
)
def test_matchers_tell_what_holds_from_what_does_not(holds: str, fails: str):
    tests = f"expect(add(1, 2)).{holds};\nexpect(add(1, 2)).{fails};"

    assert outcomes(ADD, tests) == ["pass", "fail"]


@pytest.mark.parametrize(
    "tests",
    [
        "expect(f()).toEqual({ a: [1, 2], b: undefined });\nexpect(f()).toStrictEqual({ a: [1] });",
        "expect(f().a).toContain(2);\nexpect(f().a).toContain(3);",
        "expect(f().a).toHaveLength(2);\nexpect(f().a).toHaveLength(3);",
        "expect(f()).toHaveProperty('a', [1, 2]);\nexpect(f()).toHaveProperty('b');",
        "expect(f()).toMatchObject({ a: [1, 2] });\nexpect(f()).toMatchObject({ a: 2 });",
        "expect(String(f().a)).toMatch(/1,2/);\nexpect(String(f().a)).toMatch('3');",
    ],
)
def test_matchers_look_into_values(tests: str):
    assert outcomes("const f = () => ({ a: [1, 2] });", tests) == ["pass", "fail"]


THROWS = "function f(x) { if (x < 0) throw new RangeError('negative'); return x }"


@pytest.mark.parametrize(
    "tests",
    [
        "assert.throws(() => f(-1), RangeError);\nassert.throws(() => f(1));",
        "assert.throws(() => f(-1), { message: 'negative' });\n"
        "assert.throws(() => f(-1), /other/);",
        "expect(() => f(-1)).toThrow('negative');\nexpect(() => f(-1)).toThrow(TypeError);",
        "await assert.rejects(async () => f(-1));\nawait expect(f(-1)).rejects.toThrow('other');",
    ],
)
def test_what_a_test_wants_thrown_is_told_from_what_it_does_not(tests: str):
    code = f"async {THROWS}" if "rejects" in tests else THROWS

    assert outcomes(code, tests) == ["pass", "fail"]


def test_an_assert_that_never_ran_since_something_was_thrown_has_not_passed():
    tests = "assert.equal(f(1), 1);\nassert.equal(f(-1), 1);\nassert.equal(f(2), 2);"

    assert outcomes(THROWS, tests) == ["pass", "error", "error"]


def test_text_in_quotes_and_comments_holds_no_asserts():
    tests = "// assert(1)\nconst a = 'assert(1)', b = `expect(1)`, c = /assert(1)/;\nassert(f(1));"

    assert outcomes(THROWS, tests) == ["pass"]


def test_a_changed_argument_is_changed_for_the_tests():
    code = "function f(list) { list.sort((a, b) => a - b); return list }"
    tests = (
        "const list = [3, 1];\nassert.strictEqual(f(list), list);\nassert.deepEqual(list, [1, 3]);"
    )

    assert outcomes(code, tests) == ["pass", "pass"]


def test_a_function_of_the_tests_is_called_back():
    code = "function f(list, what) { return list.map(what) }"
    tests = (
        "assert.deepEqual(f([1, 2], (x) => x * 2), [2, 4]);\n"
        "assert.throws(() => f([1], () => { throw new TypeError('mine') }), TypeError);"
    )

    ran = NODE.check(code, tests)

    assert [result.outcome for result in ran.results] == ["pass", "pass"]
    assert ran.integrity == "strong"


@pytest.mark.parametrize(
    ("code", "tests"),
    [
        ("class f { x() { return 1 } }", "assert.equal(new f().x(), 1);"),
        ("function f() { let n = 0; return () => ++n }", "assert.equal(f()(), 1);"),
        ("function f(then) { setTimeout(then, 1) }", "await new Promise(f);\nassert(true);"),
        ("function f() {}\nfunction String() { return '1' }", "assert.equal(String(f()), '1');"),
    ],
)
def test_tests_that_cannot_be_split_are_weak(code: str, tests: str):
    ran = NODE.check(code, tests)

    assert [result.outcome for result in ran.results] == ["pass"]
    assert ran.integrity == "weak"


def test_values_that_python_does_not_know_pass_between_the_halves():
    values = "[undefined, null, -0, NaN, new Date(5), /x/g, new Map([[{ a: 1 }, 2]]), 10n, 2 ** 70]"

    assert outcomes(f"const f = () => {values};", f"assert.deepStrictEqual(f(), {values});") == [
        "pass"
    ]


@pytest.mark.parametrize(
    ("tests", "message"),
    [
        ("assert.equal((", "unreadable_tests: SyntaxError"),
        ("add(1, 2);", "no_tests: "),
        ("require('chai');", "ModuleNotFoundError: Cannot find module 'chai'"),
    ],
)
def test_tests_that_cannot_be_run_say_why(tests: str, message: str):
    [result] = NODE.check(ADD, tests).results

    assert result.outcome == "error"
    assert result.message.startswith(message)


def test_unit_tests_judges_a_reply_in_javascript():
    tests: list[dict[str, Any]] = [{"args": [1, 2], "expected": 3}, {"args": [0, 0], "expected": 0}]
    fields = {"entry_point": "add", "tests": tests}
    right = record(f"```js\n{ADD}\n```", fields=fields)
    wrong = record("```js\nconst add = (a) => a\n```", fields=fields, number=1)
    absent = record("```javascript\nconst sum = 1\n```", fields=fields, number=2)
    needy = record("```js\nrequire('lodash')\n```", fields=fields, number=3)
    other = record("```python\nadd = 1\n```", fields=fields, number=4)

    verdicts = judge(
        "unit_tests", [right, wrong, absent, needy, other], sandbox={"language": "javascript"}
    )

    told = [(verdict.reason or "").partition(":")[0] for verdict in verdicts]
    assert told == ["", "failed_tests", "no_entry_point", "missing_module", "no_code"]
    assert [verdict.score for verdict in verdicts[:2]] == [1.0, 0.5]


def test_all_that_was_printed_is_there_when_a_program_exits():
    code = "console.log('x'.repeat(200_000)); console.error('y'); process.exit(0)"

    assert len(printed(code)) == 200_001


def test_an_order_fits_into_a_message():
    assert len(json.dumps(pool(NODE).command)) < 0.8 * LONGEST_ORDER


def test_no_node_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert JAVASCRIPT.executable is not None

    with pytest.raises(InputError, match=r"no `node` on the PATH; install Node\.js"):
        JAVASCRIPT.executable()


def test_an_old_node_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    node = tmp_path / "node"
    node.write_text('#!/bin/sh\necho \'{"version": "14.1.0", "libraries": []}\'\n', "utf-8")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert JAVASCRIPT.executable is not None

    with pytest.raises(InputError, match=r"wants node 18 or later, .* is 14\.1\.0"):
        JAVASCRIPT.executable()
