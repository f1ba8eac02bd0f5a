# Looks in its own memory, which is the zygote's, for what an earlier program was given.
# expect: contained
mark = "a-word-" + "that-an-earlier-program-knew"
# --- next run ---
import gc

wanted = "-".join(["a", "word", "that", "an", "earlier", "program", "knew"])
for found in gc.get_objects():
    for held in gc.get_referents(found):
        if isinstance(held, (str, bytes)) and held is not wanted and held == wanted:
            print("ESCAPED", type(found))
print("contained")
