# The same result twice, results that nobody asked for, in any order.
# expect: error
# --- code
import json
import os
import struct

for message in [{"n": 1, "ok": 9}, {"n": 0, "ok": 4}, {"n": 0, "ok": 4}, {"n": 7, "ok": 1}]:
    body = json.dumps(message).encode()
    os.write(4, struct.pack("<I", len(body)) + body)


def solve(n):
    return 0
# --- calls
solve(2) == 4
solve(3) == 9
