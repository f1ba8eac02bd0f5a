# Reaches the files of others through links in its own folder, and makes links outside.
# expect: contained
for target, name in ((given["secret"], "secret"), (given["folder"], "folder"), ("/", "root"),
                     ("/proc/self/root", "process")):
    try:
        os.symlink(target, name)
    except OSError:
        pass
for path in ("secret", "folder/secret", "root" + given["secret"], "root/etc/passwd", "process" + given["secret"]):
    attempt(f"read {path}", open, path)
    attempt(f"write {path}", os.open, path, os.O_WRONLY | os.O_APPEND)
attempt("write folder/new", open, "folder/new", "w")
attempt("link outside", os.symlink, "/", os.path.join(given["folder"], "link"))
print("contained")
