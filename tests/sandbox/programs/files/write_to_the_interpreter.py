# Changes what all programs, and the machine, run.
# expect: contained
for path in (os.__file__, json.__file__, sys.executable, "/usr/bin/python3"):
    attempt(f"write {path}", open, path, "r+b")
    attempt(f"remove {path}", os.remove, path)
    attempt(f"replace {path}", os.replace, path, path + ".old")
    attempt(f"truncate {path}", os.truncate, path, 0)
    attempt(f"change the mode of {path}", os.chmod, path, 0o777)
print("contained")
