# Sends descriptors to itself and closes them: what lies in a socket counts as nobody's.
# expect: contained
import socket

sent, ways = 0, []
try:
    while sent < 100_000:
        ways.append(socket.socketpair())
        ways[-1][0].setblocking(False)
        while True:
            try:
                socket.send_fds(ways[-1][0], [b"x"], [2] * 50)
            except BlockingIOError:
                break
            sent += 50
except OSError:
    pass
if sent > 10_000:
    print("ESCAPED", sent, "descriptors in flight")
print("contained")
