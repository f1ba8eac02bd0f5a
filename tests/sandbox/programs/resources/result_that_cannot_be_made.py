# Writes, in place of a result, a fraction with nothing below its line.
# calls: f
# expect: error
import struct


def f():
    body = b'{"n":0,"ok":["F","1","0"]}'
    os.write(4, struct.pack("<I", len(body)) + body)
    os._exit(0)
