# Frames whose values have tags for what is no value: equal to nothing.
# expect: fail
# --- code
import json
import os
import struct

said = b""
for number, value in enumerate([["?", "int"], ["h", 0], ["back", 0], ["O", "os.system"]]):
    body = json.dumps({"n": number, "ok": value}).encode()
    said += struct.pack("<I", len(body)) + body
os.write(4, said)
os._exit(0)
# --- calls
solve(0) == 4
solve(1) == 4
solve(2) == 4
solve(3) == 4
