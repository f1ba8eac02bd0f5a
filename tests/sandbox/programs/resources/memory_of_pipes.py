# Fills all the pipes that it can have, as large as they may be: the kernel keeps their content.
# expect: contained
import fcntl

held = 0
try:
    while True:
        _, end = os.pipe()
        os.set_blocking(end, False)
        try:
            fcntl.fcntl(end, fcntl.F_SETPIPE_SZ, 1 << 20)
        except OSError:
            pass
        try:
            while True:
                held += os.write(end, bytes(1 << 16))
        except BlockingIOError:
            pass
except OSError:
    pass
if held > 64 << 20:
    print("ESCAPED", held, "bytes in pipes")
print("contained")
