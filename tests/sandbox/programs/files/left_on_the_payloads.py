# Reads the code of the next program where that of the first one was.
# expect: contained
known = "a word of the first program"
# --- next run ---
seen = os.pread(3, 1 << 20, 0).decode(errors="replace")
if "a word of the " + "first program" in seen:
    print("ESCAPED", "the program before")
print("contained")
