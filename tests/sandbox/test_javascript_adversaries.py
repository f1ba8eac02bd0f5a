"""JavaScript that tries to get out, to take everything, or to pass without being right."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from synth import Sandbox
from synth.sandbox import Call, Ran, Result, calling, checking
from synth.sandbox.launch import Level
from synth.sandbox.levels import Pool

pytestmark = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")

LEVELS: tuple[Level, ...] = ("ns", "lsm")
LIMITS = Sandbox(
    language="javascript",
    cpu_s=1,
    wall_s=0.5,
    memory_mb=128,
    threads=8,
    output_kb=64,
    result_mb=1,
)


class Node:
    """Runs programs at one level."""

    def __init__(self, level: Level) -> None:
        self.pool = Pool(LIMITS)
        self.pool._level = level  # the strictest would be chosen else

    def call(self, code: str, *args: Any) -> Result:
        return calling.call(self.pool, code, "f", [Call(args)]).results[0]

    def run(self, code: str) -> tuple[Result, str]:
        ran = calling.run(self.pool, code, "")
        return ran.results[0], ran.stdout

    def check(self, code: str, tests: str) -> Ran:
        return checking.check(self.pool, checking.Given(code, tests))


@pytest.fixture(scope="module", params=LEVELS)
def node(request: pytest.FixtureRequest) -> Iterator[Node]:
    made = Node(request.param)
    yield made
    made.pool.close()


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        ("for (;;);", "timeout"),
        ("setInterval(() => {}, 100)", "timeout"),
        ("new Promise(() => {}).then(); setTimeout(() => {}, 1e6)", "timeout"),
        ("Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)", "timeout"),
        ("(function next() { process.nextTick(next) })()", "timeout"),
        ("/(a+)+$/.test('a'.repeat(50) + 'b')", "timeout"),
        ("new (require('worker_threads').Worker)('for(;;);', { eval: true })", "timeout"),
        ("const all = []; for (;;) all.push(new Array(1e5).fill(1.5))", "memory"),
        ("const all = []; for (;;) all.push(Buffer.alloc(1 << 22, 1))", "memory"),
        (
            "require('v8').setFlagsFromString('--max-old-space-size=9999');"
            "const all = []; for (;;) all.push(new Array(1e5).fill(1.5))",
            "memory",
        ),
        ("for (;;) console.log('x'.repeat(1000))", "output_limit"),
        ("for (;;) console.error('x'.repeat(1000))", "output_limit"),
        ("for (;;) require('fs').writeSync(4, Buffer.alloc(1 << 16))", "output_limit"),
        ("process.abort()", "crash"),
    ],
)
def test_what_takes_too_much_is_ended(code: str, outcome: str, node: Node):
    result, _ = node.run(code)

    assert result.outcome in (outcome, "timeout")  # a busy machine may not get it there in time


@pytest.mark.parametrize(
    "code",
    [
        "require('fs').writeFileSync('large', Buffer.alloc(64 << 20))",
        "for (let i = 0; ; i += 1) require('fs').writeFileSync(`many${i}`, 'x')",
        "for (let i = 0; ; i += 1) require('fs').openSync('/dev/null')",
        "let s = 'x'; for (;;) s += s",
        "(function deeper() { deeper() })()",
    ],
)
def test_what_is_limited_ends_in_a_failure(code: str, node: Node):
    result, _ = node.run(code)

    assert result.outcome in ("error", "output_limit", "timeout")


# Each of these calls `got` with what it reached, if it reached anything.
ESCAPES = {
    "a shell": "got(require('child_process').execSync('id'))",
    "a program": "got(require('child_process').spawnSync('/bin/true').status === 0)",
    "a fork": "require('child_process').fork('x').on('spawn', () => got(1)).on('error', () => {})",
    "a cluster": "require('cluster').fork().on('online', () => got(1)).on('error', () => {})",
    "the raw spawn": "got(process.binding('spawn_sync').spawn({ file: '/bin/true' }).pid)",
    "a connection": "require('net').connect(asked.port, '127.0.0.1', () => got(1))",
    "a server": "require('net').createServer().listen(0, () => got(1))",
    "a server on a path": "require('net').createServer().listen('socket', () => got(1))",
    "http": "require('http').get(`http://127.0.0.1:${asked.port}`, () => got(1))",
    "fetch": "fetch(`http://127.0.0.1:${asked.port}`).then(() => got(1))",
    "a datagram": "require('dgram').createSocket('udp4').bind(0, () => got(1))",
    "a name": "require('dns').lookup('localhost', (error) => error || got(1))",
    "a file": "got(require('fs').readFileSync(asked.secret, 'utf8'))",
    "a file later": "require('fs').readFile(asked.secret, 'utf8', (_, text) => text && got(text))",
    "a file by a link": "require('fs').symlinkSync(asked.secret, 'link');"
    "got(require('fs').readFileSync('link', 'utf8'))",
    "a module outside": "got(require(asked.secret))",
    "its folder": "got(require('fs').readdirSync(asked.folder).length)",
    "a new file": "require('fs').writeFileSync(`${asked.folder}/new`, 'x'); got(1)",
    "a mode": "require('fs').chmodSync(asked.secret, 0); got(1)",
    "the environment": "Object.keys(process.env).length && got(process.env)",
    "another process": "process.kill(asked.pid, 0); got(1)",
    "its parent": "process.kill(process.ppid || asked.pid); got(1)",
    "all processes": "process.kill(-1, 9); got(1)",
    "root": "process.setuid(0); got(1)",
    "a priority": "require('os').setPriority(-5); got(1)",
    "native code": "process.dlopen({ exports: {} }, process.report.getReport().sharedObjects[1]);"
    "got(1)",
    "its parent's memory": "got(require('fs').readFileSync(`/proc/${process.ppid}/environ`))",
}


@pytest.fixture
def asked() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="bait-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        secret = folder / "secret.js"
        secret.write_text("module.exports = 'secret'", encoding="utf-8")
        secret.chmod(0o666)
        yield {"folder": name, "secret": str(secret), "pid": 1 << 21, "port": 9}
        assert [path.name for path in folder.iterdir()] == ["secret.js"]
        assert secret.stat().st_mode & 0o777 == 0o666


def test_nothing_outside_is_reached(node: Node, asked: dict[str, Any]):
    each = "\n".join(
        f"(() => {{ const got = reached({json.dumps(what)}); try {{ {code} }} catch {{}} }})();"
        for what, code in ESCAPES.items()
    )
    code = (
        f"const asked = {json.dumps(asked)};\n"
        "const reached = (name) => (what) => what && console.log(name, String(what));\n"
        "process.on('uncaughtException', () => {});\n"
        f"{each}\nconsole.log('tried all');"
    )

    _, stdout = node.run(code)

    assert stdout == "tried all\n"


FRAME = """
const send = (fd, told) => {
  const body = Buffer.from(JSON.stringify(told)), size = Buffer.alloc(4);
  size.writeUInt32LE(body.length);
  try { require('fs').writeSync(fd, Buffer.concat([size, body])) } catch {}
};
"""


@pytest.mark.parametrize(
    "code",
    [
        "process.exit(0)",
        "function f() { process.exit(0) }",
        "function f() { process.reallyExit(0) }",
        "require('fs').closeSync(4); function f() { return 1 }",
        "process.removeAllListeners(); process.emit = () => {}; function f() { throw 1 }",
        "Object.prototype.toJSON = () => 1; function f() { throw new Error('a') }",
        "function f() { throw { get message() { throw 1 }, get stack() { throw 2 } } }",
        "function f() { throw new Proxy({}, { get() { throw 1 }, getPrototypeOf() { throw 2 } }) }",
        "function f() { return new Proxy({}, { getPrototypeOf() { throw 2 } }) }",
        "function f() { return { get a() { throw undefined } } }",
        FRAME + "function f() { send(4, { n: 0, ok: 1 }); return 1 }",
        FRAME + "function f() { send(4, { ready: 1 }); send(4, { done: 0 }); return 1 }",
        "function f() { require('fs').writeSync(4, Buffer.alloc(64, 255)); return 1 }",
    ],
)
def test_a_call_that_ends_badly_returns_nothing(code: str, node: Node):
    assert node.call(code).outcome in ("error", "early_exit", "killed")


@pytest.mark.parametrize(
    "value",
    [
        "{ valueOf() { return 42 }, toString() { return '42' } }",
        "{ toJSON() { return 42 } }",
        "new Number(42)",
        "new (class extends Number {})(42)",
        "{ [Symbol.toPrimitive]() { return 42 } }",
        "new Proxy(function () {}, { apply: () => 42, get: () => 42 })",
        "Object.defineProperty([], 'toJSON', { value: () => 42 })",
    ],
)
def test_no_object_passes_for_a_number(value: str, node: Node):
    result = node.call(f"function f() {{ return {value} }}")

    assert not (result.outcome == "returned" and result.value == 42)


@pytest.mark.parametrize(
    "patch",
    [
        "Array.prototype.toJSON = Number.prototype.toJSON = String.prototype.toJSON = () => 0;",
        "JSON.stringify = JSON.parse = () => '0'; Array.isArray = () => false;",
        "Array.prototype.map = Array.prototype.join = Array.prototype.push = () => 0;",
        "Map.prototype.forEach = Set.prototype.forEach = Object.keys = () => [];",
        "Promise.prototype.then = Promise.resolve = () => 0;",
        "globalThis.Buffer = globalThis.Promise = globalThis.process = undefined;",
        "require('fs').writeSync = require('fs').readSync = () => { throw 1 };",
        "String.prototype.slice = String = Number.isFinite = Number.isInteger = () => '0';",
    ],
)
def test_patched_builtins_change_no_answer(patch: str, node: Node):
    code = f"{patch}\nfunction f() {{ return [1, 'a', {{ b: [2.5, null] }}] }}"

    assert node.call(code).value == [1, "a", {"b": [2.5, None]}]


def test_what_a_call_leaves_for_later_does_not_run(node: Node):
    code = "function f() { setTimeout(() => { for (;;); }, 0); return 1 }"

    assert node.call(code) == Result("returned", 1)


@pytest.mark.parametrize(
    "code",
    [
        "process.exit(0)",
        "function add() { process.exit(0) }",
        "function add() { return { valueOf() { return 3 } } }",
        "function add() { return [3] }",
        "function add() { return '3' }",
        "require('assert').strictEqual = () => {}; function add() { return 0 }",
        "const assert = { strictEqual() {} }, expect = () => {}; function add() { return 0 }",
        FRAME + "send(4, { done: true }); function add() { return 0 }",
        FRAME + "send(5, { names: [['add', 3]], whole: false }); process.exit(0)",
        FRAME + "send(5, { names: [['__proto__', 3], ['assert', 3]], whole: false });",
        FRAME + "function add() { send(5, { ok: 1, same: 'length', waits: false, changed: [] }) }",
        FRAME
        + "function add() { send(5, { ok: 1, same: -1, waits: false,"
        + " changed: [['__proto__', ['l', 3]]] }) }",
        FRAME + "function add() { send(5, { back: 'push', args: [3] }) }",
        "require('fs').writeSync(5, Buffer.alloc(64, 255))",
        "require('fs').writeSync(5, Buffer.from([255, 255, 255, 127]))",
        "class add { constructor() { process.exit(0) } }; module.exports = add",
        "function add() { throw { name: 'AssertionError', get message() { throw 1 } } }",
    ],
)
def test_no_cheat_passes_a_test(code: str, node: Node):
    ran = node.check(code, "assert.strictEqual(add(1, 2), 3);")

    assert "pass" not in [result.outcome for result in ran.results]


def test_the_tests_stay_as_they_are_whatever_the_program_sends(node: Node):
    code = (
        FRAME + "function add() { send(5, { ok: 1, same: -1, waits: false,"
        " changed: [['__proto__', ['d', ['length', 7], ['polluted', 7]]]] }) }"
    )
    tests = (
        "try { add([1]) } catch {}\n"
        "assert.equal([].length, 0);\nassert.equal({}.polluted, undefined);"
    )

    assert [result.outcome for result in node.check(code, tests).results] == ["pass", "pass"]


def test_the_program_does_not_see_the_tests(node: Node):
    code = (
        "const fs = require('fs');\nlet seen = '';\n"
        "for (let fd = 0; fd < 64; fd += 1) {\n"
        "  if (fd === 5) continue;\n"
        "  const bytes = Buffer.alloc(65536);\n"
        "  try { seen += bytes.utf8Slice(0, fs.readSync(fd, bytes, 0, 65536, 0)) } catch {}\n"
        "}\n"
        "function add() { return /marmalade/.test(seen.replace(/const fs[^]*/, '')) }"
    )

    ran = node.check(code, "assert.equal(add('x'), false); // marmalade")

    assert [result.outcome for result in ran.results] == ["pass"]
    assert ran.integrity == "strong"
