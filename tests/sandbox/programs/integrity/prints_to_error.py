# Prints where nobody reads.
# --- code
import sys
print(5, file=sys.stderr)
# --- stdin
5
