# One broken value for each thing that a reader could stumble over: it ends in an error, for all.
# expect: error
# --- code
import json
import os
import struct

BROKEN = (
    *([], [[]], [{}], ["i"], ["i", "x"], ["i", 4], ["D", "x"], ["F", "1", "0"], ["at", "date", "x"]),
    *(["at", "eval", "4"], ["td", 1e300, 0, 0], ["r", 1, 2, 0], ["c", "x", "y"], ["b", "0"]),
    *(["d", 1], ["d", [1]], ["d", [["l"], 1]], ["s", ["l"]], ["nt", "class", ["x"], 4], ["nt"]),
    *(["nt", "a.b", ["x"], 4], ["nt", "A", ["x"], 1, 2], ["f", "x"], ["f", None], ["z", ["d"]]),
)


def solve(n):
    body = json.dumps({"n": 0, "ok": BROKEN[n]}).encode()
    os.write(4, struct.pack("<I", len(body)) + body)
    os._exit(0)
# --- calls
solve(0) == 4
solve(1) == 4
solve(2) == 4
solve(3) == 4
solve(4) == 4
solve(5) == 4
solve(6) == 4
solve(7) == 4
solve(8) == 4
solve(9) == 4
solve(10) == 4
solve(11) == 4
solve(12) == 4
solve(13) == 4
solve(14) == 4
solve(15) == 4
solve(16) == 4
solve(17) == 4
solve(18) == 4
solve(19) == 4
solve(20) == 4
solve(21) == 4
solve(22) == 4
solve(23) == 4
solve(24) == 4
