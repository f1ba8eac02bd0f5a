# Maps memory, private and shared with nobody, in every way that there is.
# expect: contained
import mmap

SIZE = 200 << 20
held = []
for flags in (mmap.MAP_PRIVATE, mmap.MAP_SHARED, mmap.MAP_PRIVATE | 0x4000, mmap.MAP_SHARED | 0x100):
    for _ in range(2):
        try:
            held.append(mmap.mmap(-1, SIZE, flags=flags | mmap.MAP_ANONYMOUS))
        except (OSError, ValueError):
            continue
if len(held) * SIZE > 256 << 20:
    print("ESCAPED", len(held), "times", SIZE)
print("contained")
