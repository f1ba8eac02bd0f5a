# Ends itself past all that Python does at the end.
# expect: error
os._exit(7)
