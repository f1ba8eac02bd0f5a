# Makes a socket to anywhere of one half of a pair.
# expect: contained
import socket

for kind in (socket.SOCK_STREAM, socket.SOCK_SEQPACKET, socket.SOCK_DGRAM):
    try:
        one, _other = socket.socketpair(socket.AF_UNIX, kind)
    except OSError:
        continue
    attempt("connect", one.connect, given["unix"])
    attempt("connect of datagrams", one.connect, given["datagram"])
    attempt("bind", one.bind, os.path.join(given["folder"], "bound"))
    attempt("bind here", one.bind, "bound")
    attempt("bind an abstract name", one.bind, "\0bound")
    attempt("listen", one.listen)
for family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK):
    attempt("a pair of another family", socket.socketpair, family, socket.SOCK_STREAM)
attempt("a pair of TIPC", socket.socketpair, 30, socket.SOCK_STREAM)
print("contained")
