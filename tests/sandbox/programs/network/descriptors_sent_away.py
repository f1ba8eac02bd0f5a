# Sends a descriptor to a service of the machine.
# expect: contained
import socket

try:
    one, _other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    socket.send_fds(one, [b"x"], [0, 1, 2], 0, given["datagram"])
except OSError:
    pass
print("contained")
