# Takes memory in one piece of Python.
# expect: memory
held = bytearray(1 << 40)
