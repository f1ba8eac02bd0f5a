# Opens files by the number that a file system knows them by, past all folders.
# expect: contained
handle = ctypes.create_string_buffer(b"\x80\0\0\0" + bytes(4), 140)
mount = ctypes.c_int()
attempt("name_to_handle_at", syscall, 303, -100, b"/", handle, ctypes.byref(mount), 0)
attempt("open_by_handle_at", syscall, 304, 0, handle, 0)
print("contained")
