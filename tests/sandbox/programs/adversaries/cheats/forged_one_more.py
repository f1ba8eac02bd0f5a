# An answer too many makes all of them worthless.
# expect: error
# --- code
import json
import os
import struct


def solve(n):
    if n == 3:
        body = json.dumps({"n": 1, "ok": 9}).encode()
        os.write(4, struct.pack("<I", len(body)) + body)
    return n * n
# --- calls
solve(2) == 4
solve(3) == 9
