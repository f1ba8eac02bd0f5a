# Changes mode, owner, times and attributes of a file that is not its own: Landlock guards none.
# expect: contained
secret, folder = given["secret"], given["folder"]
attempt("chmod", os.chmod, secret, 0o600)
attempt("chmod of the folder", os.chmod, folder, 0o700)
attempt("fchmodat2", syscall, 452, -100, secret.encode(), 0o600, 0)
attempt("chown", os.chown, secret, os.getuid(), -1)
attempt("lchown", os.lchown, secret, os.getuid(), -1)
attempt("utime", os.utime, secret, (0, 0))
attempt("utimes", syscall, 235, secret.encode(), 0)
attempt("utime of old", syscall, 132, secret.encode(), 0)
attempt("setxattr", os.setxattr, secret, "user.mark", b"x")
attempt("setxattr of its own", os.setxattr, ".", "user.mark", b"x")
attempt("listxattr", os.listxattr, secret)
attempt("removexattr", os.removexattr, secret, "user.mark")
print("contained")
