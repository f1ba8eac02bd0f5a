# Reads what any user of the machine may.
# expect: contained
for path in ("/etc/passwd", "/etc/hostname", "/etc/shadow", "/etc/resolv.conf", "/etc/hosts",
             "/etc/ssl/certs", "/var/log", "/boot", "/run", given["secret"]):
    attempt(f"read {path}", os.listdir if os.path.isdir(path) else open, path)
print("contained")
