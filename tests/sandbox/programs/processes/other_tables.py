# Makes system calls by the second table of x86_64, x32, that a filter by number might not know.
# expect: contained
for number in (0, 1, 39, 41, 57, 59, 62, 101, 165, 322, 512, 520, 529, 545):
    attempt(f"x32 {number}", syscall, 0x40000000 + number, 0, 0, 0)
print("contained")
