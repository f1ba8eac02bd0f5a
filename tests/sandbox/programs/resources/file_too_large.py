# Writes one file for as long as it can.
# expect: error or output_limit
with open("large", "wb") as file:
    while True:
        file.write(bytes(1 << 20))
