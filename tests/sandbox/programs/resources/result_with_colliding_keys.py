# Writes, in place of a result, a dict of numbers whose hashes are all the same: whoever makes it
# compares each with each, outside, where no limit holds.
# calls: f
# expect: error
import struct


def f():
    items = ",".join(f'[["i","{n * (2**61 - 1):x}"],0]' for n in range(1, 20_000))
    body = f'{{"n":0,"ok":["d",{items}]}}'.encode()
    rest = struct.pack("<I", len(body)) + body
    while rest:
        rest = rest[os.write(4, rest):]
    os._exit(0)
