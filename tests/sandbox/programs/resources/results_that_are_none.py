# Writes a million empty frames in place of results.
# calls: f
# expect: error or output_limit
def f():
    for _ in range(100):
        os.write(4, bytes(4 * 2500))
    os._exit(0)
