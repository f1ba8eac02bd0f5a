# Prints a byte, for ever.
# expect: timeout or output_limit
# wall: 0.3
import time

while True:
    os.write(1, b"x")
    time.sleep(0.01)
