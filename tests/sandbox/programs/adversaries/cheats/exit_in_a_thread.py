# A thread ends the process while the tests wait for an answer.
# expect: early_exit
# --- code
import os
import threading
import time


def solve(n):
    threading.Timer(0.02, os._exit, [0]).start()
    time.sleep(5)
# --- tests
def test_it():
    assert solve(2) == 4
