# The call returns at once; a thread wants to answer when it knows more.
# expect: fail, fail, fail
# --- code
import threading
import time

answer = [0]


def work():
    while True:
        time.sleep(0.001)
        answer[0] += 1


threading.Thread(target=work, daemon=True).start()


def solve(n):
    return answer
# --- calls
solve(2) == [-4]
solve(3) == [-9]
solve(4) == [-16]
