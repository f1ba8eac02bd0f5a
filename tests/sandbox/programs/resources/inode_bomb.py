# Makes empty files for as long as it can.
# expect: error or output_limit or timeout
for number in range(10 ** 9):
    os.close(os.open(str(number), os.O_CREAT))
