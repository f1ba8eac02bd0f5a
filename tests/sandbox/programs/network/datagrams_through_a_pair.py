# Sends to a service of the machine from one half of a pair, which it may have.
# expect: contained
import socket

for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_STREAM, socket.SOCK_SEQPACKET):
    for flags in (0, socket.SOCK_NONBLOCK, socket.SOCK_CLOEXEC):
        try:
            one, _other = socket.socketpair(socket.AF_UNIX, kind | flags)
        except OSError:
            continue
        # What a connected stream does with an address is to refuse or to forget it.
        for address in (given["datagram"], given["abstract"], given["unix"]):
            try:
                one.sendto(b"out", address)
                one.sendmsg([b"out"], [], 0, address)
            except OSError:
                pass
print("contained")
