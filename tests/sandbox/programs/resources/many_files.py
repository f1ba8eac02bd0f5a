# Fills its folder with files, each as large as it may be.
# expect: error or output_limit
import time

for number in range(1000):
    with open(f"file-{number}", "wb") as file:
        file.write(bytes(4 << 20))
    time.sleep(0.02)
