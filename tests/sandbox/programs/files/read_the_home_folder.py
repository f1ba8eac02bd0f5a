# Looks for keys and for what a shell remembers in the folder of whoever runs it.
# expect: contained
for name in (".ssh", ".ssh/id_rsa", ".bashrc", ".bash_history", ".netrc", ".config", ".cache"):
    path = os.path.join(given["home"], name)
    attempt(f"read {path}", os.listdir if os.path.isdir(path) else open, path)
attempt("expand the home folder", os.listdir, os.path.expanduser("~"))
print("contained")
