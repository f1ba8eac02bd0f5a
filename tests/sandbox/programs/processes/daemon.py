# Leaves its session and group, to live on.
# expect: contained
attempt("setsid", os.setsid)
attempt("setpgid", os.setpgid, 0, 0)
attempt("another's group", os.setpgid, 0, given["pid"])
attempt("vhangup", syscall, 153)
print("contained")
