# Makes folders within folders, deeper than any path is long: who clears up must not fall over it.
# expect: contained or error or output_limit
try:
    for _ in range(1500):
        os.mkdir("d")
        os.chdir("d")
except OSError:
    pass
print("contained")
