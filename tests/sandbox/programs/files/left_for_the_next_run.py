# Leaves files, folders and links for the next program.
# expect: contained
with open("left", "w") as file:
    file.write("a message to the next one")
with open(".hidden", "w") as file:
    file.write("hidden")
os.symlink("left", "link")
os.mkdir("folder")
os.mkdir("unseen", 0o300)
with open("unseen/left", "w") as file:
    file.write("hidden too")
# --- next run ---
for name in os.listdir("."):
    print("ESCAPED", name)
attempt("read what was left", open, "unseen/left")
attempt("read by name", open, "left")
print("contained")
