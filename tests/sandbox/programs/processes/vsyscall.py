# Calls the page that old programs found their clock on, which is in every process.
# expect: contained or crash
clock = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)(0xFFFFFFFFFF600000)
room = ctypes.create_string_buffer(16)
clock(ctypes.addressof(room), None)
print("contained")
