# Fills the disk with files that have no name any more.
# expect: error or output_limit
# not at lsm: nothing counts a file without a name there, the limit of CPU time ends it
import mmap

held = []
for _ in range(16):
    with open("one", "wb+") as file:
        os.unlink("one")
        file.write(bytes(4 << 20))
        file.flush()
        held.append(mmap.mmap(file.fileno(), 4096))
print("ESCAPED 64 MiB")
