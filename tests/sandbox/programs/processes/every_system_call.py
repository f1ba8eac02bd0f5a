# Makes each system call that is not of the few that a program needs, with arguments of nothing.
# expect: contained
import errno

# Not 335 and 336: no filter sees these two, which end whoever calls them.

NEEDED = """0-41 43-55 60-61 63-100 102-104 107-111 115 118 120 121 124 127-131 137 138 140 143 145-147
    157 158 186 202 204 213 217-219 221 228-235 257 258 261-270 271 273 274 275 276 277 280 281 284 285
    290-293 295 296 302 309 316 318 324 326-328 332 334 434-436 439 441 449 450 452"""
needed = set()
for part in NEEDED.split():
    first, _, last = part.partition("-")
    needed.update(range(int(first), int(last or first) + 1))
for number in sorted(set(range(470)) - needed - {15, 56, 62, 335, 336}):
    try:
        syscall(number, 0, 0, 0, 0, 0, 0)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.ENOSYS, errno.EACCES):
            print("ESCAPED", number, "came to", error)
    else:
        print("ESCAPED", number)
print("contained")
