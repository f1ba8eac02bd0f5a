# Opens files for as long as it can.
# expect: contained
held = []
try:
    while True:
        held.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
if len(held) > 64:
    print("ESCAPED", len(held), "descriptors")
for fd in held:
    os.close(fd)
print("contained")
