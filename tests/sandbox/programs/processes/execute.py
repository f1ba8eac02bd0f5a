# Becomes another program.
# expect: contained
for path in ("/bin/sh", "/bin/true", "/usr/bin/env", "/usr/bin/python3", sys.executable,
             "/lib64/ld-linux-x86-64.so.2", "/sbin/reboot", "/bin/su", "/usr/bin/sudo"):
    attempt(f"execute {path}", os.execv, path, [path, "-c", "echo ESCAPED"])
    attempt(f"execute {path} by C", syscall, 59, path.encode(), 0, 0)
    attempt(f"execveat {path}", syscall, 322, -100, path.encode(), 0, 0, 0)
print("contained")
