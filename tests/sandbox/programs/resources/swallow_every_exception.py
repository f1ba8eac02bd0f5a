# Goes on whatever is raised, so that nothing within Python could end it.
# expect: timeout
# wall: 0.4
def spin():
    while True:
        try:
            while True:
                pass
        except BaseException:
            spin()


spin()
