# Maps the device that gives zeros, shared, which is memory by another name.
# expect: contained
import mmap

held = []
for _ in range(4):
    with open("/dev/zero", "r+b", buffering=0) as zero:
        try:
            held.append(mmap.mmap(zero.fileno(), 100 << 20, flags=mmap.MAP_SHARED))
        except (OSError, ValueError):
            continue
if len(held) > 2:
    print("ESCAPED", len(held), "times 100 MiB")
print("contained")
