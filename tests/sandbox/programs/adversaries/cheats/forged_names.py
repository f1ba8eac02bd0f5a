# Tells the tests that it defines what they are made of.
# expect: fail or error or early_exit
# --- code
import json
import os
import struct


def frame(message):
    body = json.dumps(message).encode()
    return struct.pack("<I", len(body)) + body


function = ["h", 0, "object", ["h", 1, "class", [["builtins", "object"]]]]
wanted = "solve __synth_sites__ __builtins__ __name__ check all any len abs print isinstance math"
wanted += " __import__ __build_class__ AssertionError pytest unittest solution __all__ __getattr__"
os.write(5, frame({"names": {name: function for name in wanted.split()}, "arrays": True}))
while True:
    os.write(5, frame({"ok": True, "changed": []}))
# --- tests
import math
import pytest


def test_sum():
    assert all(solve(n) == n * n for n in range(3))


def test_near():
    assert math.isclose(solve(2), 4.5)


def test_raises():
    with pytest.raises(ZeroDivisionError):
        solve(0)
