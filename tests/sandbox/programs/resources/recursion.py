# Calls itself for ever.
# expect: error
def down():
    return down()


down()
