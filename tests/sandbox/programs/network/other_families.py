# Opens sockets of every family that the kernel may know.
# expect: contained
import socket

for family in range(1, 46):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        attempt(f"family {family}, kind {kind}", socket.socket, family, kind)
print("contained")
