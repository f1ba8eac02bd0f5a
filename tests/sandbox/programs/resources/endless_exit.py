# Has something for ever to do when it is done.
# expect: timeout
# wall: 0.4
import atexit


@atexit.register
def more():
    while True:
        pass
