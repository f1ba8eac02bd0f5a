# Opens sockets without Python's module.
# expect: contained
for family in (1, 2, 10, 16, 17):
    attempt(f"socket of family {family}", syscall, 41, family, 1, 0)
    attempt(f"socket of family {family} by libc", lambda f=family: 1 / (libc.socket(f, 1, 0) + 1))
for number, name in ((42, "connect"), (43, "accept"), (49, "bind"), (50, "listen"),
                     (54, "setsockopt"), (288, "accept4"), (299, "recvmmsg"), (307, "sendmmsg")):
    attempt(name, syscall, number, 0, 0, 0)
print("contained")
