# Ends the process below Python's feet while it is loaded.
# expect: early_exit
# --- code
import os

os._exit(0)
# --- calls
solve(2) == 4
solve(3) == 9
