# Takes a lock on every second byte of a file: the kernel keeps a note of each.
# expect: timeout or contained or error
# wall: 0.4
import fcntl

with open("locked", "wb+") as file:
    for at in range(10 ** 9):
        fcntl.lockf(file, fcntl.LOCK_EX, 1, 2 * at)
