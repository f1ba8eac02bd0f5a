# Writes right-looking frames to every descriptor while it is loaded, then ends: forging an answer
# means knowing it.
# expect: fail or error or early_exit
# --- code
import json
import os
import struct


def frame(message):
    body = json.dumps(message).encode()
    return struct.pack("<I", len(body)) + body


for fd in range(1, 64):
    try:
        os.write(fd, frame({"n": 0, "ok": 16}) + frame({"n": 1, "ok": 16}))
    except OSError:
        pass
os._exit(0)
# --- calls
solve(2) == 4
solve(3) == 9
