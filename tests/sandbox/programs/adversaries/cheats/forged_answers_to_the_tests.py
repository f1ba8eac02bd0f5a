# Fills the tests' channel with answers before it is asked: they know no more than it does.
# expect: fail or error or early_exit
# --- code
import json
import os
import struct


def frame(message):
    body = json.dumps(message).encode()
    return struct.pack("<I", len(body)) + body


names = {"solve": ["h", 0, "object", ["h", 1, "class", [["builtins", "object"]]]]}
os.write(5, frame({"names": names, "arrays": False}) + frame({"ok": True, "changed": []}) * 100)
os._exit(0)
# --- tests
assert solve(2) == 4
assert solve(3) == [9]
assert isinstance(solve(3), str)
