# Reads and writes what the kernel tells of the machine.
# expect: contained
for path in ("/sys", "/sys/kernel", "/sys/fs/cgroup", "/sys/class/net", "/sys/block"):
    attempt(f"list {path}", os.listdir, path)
attempt("read of an address", open, "/sys/class/net/lo/address")
attempt("write of cgroup.procs", open, "/sys/fs/cgroup/cgroup.procs", "w")
print("contained")
