# Writes, in place of a result, a decimal number that is none.
# calls: f
# expect: error
import struct


def f():
    body = b'{"n":0,"ok":["D","nothing"]}'
    os.write(4, struct.pack("<I", len(body)) + body)
    os._exit(0)
