# Ends itself with each code that the harness might use for its own.
# expect: error
os._exit(97)
