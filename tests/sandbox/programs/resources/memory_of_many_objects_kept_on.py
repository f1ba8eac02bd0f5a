# Takes memory again and again where it is refused.
# expect: timeout or crash or memory
# wall: 0.4
held = []
while True:
    try:
        held.append(bytearray(1 << 22))
    except MemoryError:
        pass
