# Reads what the kernel tells of processes: environments, memory, open files.
# expect: contained
for who in ("self", "thread-self", "1", str(os.getppid()), str(given["pid"])):
    for what in ("environ", "cmdline", "maps", "status", "mountinfo", "mem"):
        attempt(f"read {who}/{what}", open, f"/proc/{who}/{what}", "rb")
    attempt(f"list {who}/fd", os.listdir, f"/proc/{who}/fd")
attempt("list /proc", os.listdir, "/proc")
attempt("write of oom_score_adj", open, "/proc/self/oom_score_adj", "w")
attempt("write of core_pattern", open, "/proc/sys/kernel/core_pattern", "w")
print("contained")
