# A frame whose length promises more than ever comes.
# expect: error or early_exit
# --- code
import os
import struct

os.write(4, struct.pack("<I", 2**32 - 1) + b"[")
os._exit(0)
# --- calls
solve(2) == 4
