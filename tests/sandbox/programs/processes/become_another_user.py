# Becomes root, or anybody.
# expect: contained
attempt("setuid", os.setuid, 0)
attempt("setgid", os.setgid, 0)
attempt("setreuid", os.setreuid, 0, 0)
attempt("setresuid", os.setresuid, 0, 0, 0)
attempt("setgroups", os.setgroups, [0])
attempt("initgroups", os.initgroups, "root", 0)
attempt("setfsuid", syscall, 122, 0)
attempt("capset", syscall, 126, b"\x22\x05\x08\x20" + bytes(4), b"\xff" * 24)
print("contained")
