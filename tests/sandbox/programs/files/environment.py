# Looks for keys in its environment, by Python and by C.
# expect: contained
import ctypes

if os.environ:
    print("ESCAPED", dict(os.environ))
libc.getenv.restype = ctypes.c_char_p
for name in (b"HOME", b"PATH", b"USER", b"OPENAI_API_KEY", b"PYTHONPATH", b"LD_LIBRARY_PATH"):
    if libc.getenv(name):
        print("ESCAPED", name, libc.getenv(name))
print("contained")
