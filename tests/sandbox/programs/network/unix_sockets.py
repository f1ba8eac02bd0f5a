# Connects to a service of the machine by the path of its socket.
# expect: contained
import socket


def connect(kind, address):
    with socket.socket(socket.AF_UNIX, kind) as one:
        one.connect(address)
        return one.send(b"out")


attempt("a stream", connect, socket.SOCK_STREAM, given["unix"])
attempt("a datagram", connect, socket.SOCK_DGRAM, given["datagram"])
attempt("an abstract name", connect, socket.SOCK_DGRAM, given["abstract"])
for path in ("/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket", "/dev/log"):
    attempt(path, connect, socket.SOCK_STREAM, path)
print("contained")
