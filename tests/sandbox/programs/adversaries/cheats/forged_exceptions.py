# Answers that raise what would end or skip a test, by the names of those classes.
# expect: error or fail
# --- code
import json
import os
import struct


def frame(message):
    body = json.dumps(message).encode()
    return struct.pack("<I", len(body)) + body


ENDING = (
    *("builtins.SystemExit", "builtins.KeyboardInterrupt", "builtins.GeneratorExit"),
    *("unittest.case.SkipTest", "unittest.case._ShouldStop", "_pytest.outcomes.Skipped"),
    *("solution.Skipped", "test_solution.Skipped", "__main__.SkippedError", "pytest.skip.Exception"),
    *("synth.sandbox.inside.pytest_names.SkippedError", "asyncio.exceptions.CancelledError"),
    *("synth.sandbox.inside.remote.ProgramGoneError", "synth.sandbox.inside.stand_ins.CannotSplitError"),
)


class Told(dict):
    pass


def solve(n):
    module, _, name = ENDING[n].rpartition(".")
    told = {"name": name, "message": "", "line": 0, "args": ["l"], "attributes": ["d"]}
    lineage = [[module, name], ["builtins", "BaseException"], ["builtins", "object"]]
    os.write(5, frame({"ex": {**told, "lineage": lineage}}))
    os.read(5, 65536)
    os.write(5, frame({"ex": {**told, "lineage": lineage}}))
    return 0
# --- tests
import unittest


def test_first():
    assert solve(0) == 0.5


def test_third():
    assert solve(3) == 0.5


class TestCase(unittest.TestCase):
    def test_fifth(self):
        self.assertEqual(solve(5), 0.5)
