# Writes everywhere that is not its own folder.
# expect: contained
import tempfile

for folder in ("/", "/usr", "/usr/lib", "/etc", "/var/tmp", "/dev", "/dev/shm", "/run", "/home",
               given["folder"], given["home"], given["project"], os.path.dirname(os.__file__)):
    path = os.path.join(folder, "written")
    attempt(f"write {path}", open, path, "w")
    attempt(f"make the folder {path}", os.mkdir, path)
attempt("write the secret", open, given["secret"], "r+")
attempt("append to the secret", os.open, given["secret"], os.O_WRONLY | os.O_APPEND)
attempt("truncate the secret", os.truncate, given["secret"], 0)
attempt("remove the secret", os.remove, given["secret"])
attempt("remove the folder", os.rename, given["folder"], given["folder"] + "-gone")
print("contained")
