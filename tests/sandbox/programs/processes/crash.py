# Reads where nothing is.
# expect: crash
ctypes.string_at(0)
