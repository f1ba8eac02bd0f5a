# The same where values are returned: the harness's own len or json may break, nothing else.
# expect: fail or error or early_exit
# --- code
import builtins
import json
import struct


class Yes:
    __eq__ = lambda self, other: True


json.dumps = lambda *values, **named: '{"n": 0, "ok": 4}'
json.JSONEncoder.encode = lambda self, value: '{"n": 0, "ok": 1}'
struct.Struct.pack = None if False else struct.Struct
builtins.len = lambda value: 4
builtins.isinstance = lambda *values: True
builtins.type = lambda value: int


def solve(n):
    return Yes()
# --- calls
solve(3) == 9
solve(5) == 25
