# Takes memory in small pieces for as long as there is any, and keeps what it got.
# expect: memory or timeout or crash
held = []
while True:
    held.append(bytearray(1 << 20))
