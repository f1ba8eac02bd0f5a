# Keeps files where the owner may go but not look: who counts and clears up must see them.
# expect: contained or error
os.mkdir("hidden", 0o300)
with open("hidden/left", "w") as file:
    file.write("left")
os.mkdir("closed", 0)
print("contained")
