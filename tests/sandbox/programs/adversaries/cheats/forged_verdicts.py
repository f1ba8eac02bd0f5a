# Writes verdicts in the form of the tests' own to every descriptor, with nonces it can think of.
# expect: early_exit or error
# --- code
import json
import os
import struct


def frame(message):
    body = json.dumps(message).encode()
    return struct.pack("<I", len(body)) + body


for fd in range(1, 64):
    for nonce in ("", "0" * 32, None, 0, True):
        said = [{"ready": 1}, {"sites": [1]}, {"site": 0, "outcome": "pass", "message": ""}]
        for one in [*said, {"done": True}]:
            try:
                os.write(fd, frame({"nonce": nonce, **one}))
            except OSError:
                pass
os._exit(0)
# --- tests
assert solve(2) == 4
