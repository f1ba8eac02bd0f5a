# A program that ends well and prints nothing has printed nothing.
# expect: fail
# --- code
import os

os._exit(0)
# --- stdin
2
# --- stdout
4
