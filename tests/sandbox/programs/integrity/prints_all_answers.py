# Prints more than one answer.
# --- code
print(6)
print(5)
# --- stdin
1 2 3
