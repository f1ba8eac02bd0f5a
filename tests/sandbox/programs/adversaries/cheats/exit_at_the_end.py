# An exit handler tries to change the code that the process ends with.
# expect: error
# --- code
import atexit
import os

atexit.register(os._exit, 0)
raise RuntimeError("not even wrong")
# --- stdout
4
