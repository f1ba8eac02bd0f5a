# Learns which files the machine has, without opening them.
# expect: contained
# not at lsm: Landlock guards opening a file, not asking for its size and times
for path in (given["secret"], given["folder"], given["project"], "/etc/passwd"):
    attempt(f"stat {path}", os.stat, path)
attempt("a link of /proc", os.readlink, "/proc/self/exe")
print("contained")
