# Writes, in place of a result, a set of which a third are as they should be: the others, whose
# hashes are all the same, take as long as ever.
# calls: f
# expect: error
import struct


def f():
    items = [f'["i","{n * (2**61 - 1):x}"]' for n in range(1, 20_000)] + [*map(str, range(12_000))]
    body = f'{{"n":0,"ok":["s",{",".join(items)}]}}'.encode()
    rest = struct.pack("<I", len(body)) + body
    while rest:
        rest = rest[os.write(4, rest):]
    os._exit(0)
