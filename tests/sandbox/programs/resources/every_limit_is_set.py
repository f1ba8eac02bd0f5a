# Looks whether a limit was forgotten: no core files, no locked memory, few files, sized files.
# expect: contained
import resource

for name, most in (("AS", 1 << 28), ("FSIZE", 8 << 20), ("CORE", 0), ("MEMLOCK", 0), ("CPU", 1),
                   ("NOFILE", 64), ("STACK", 8 << 20), ("MSGQUEUE", 0)):
    found = resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))
    if not all(0 <= one <= most for one in found):
        print("ESCAPED", name, found)
print("contained")
