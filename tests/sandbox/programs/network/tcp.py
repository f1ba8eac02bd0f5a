# Connects and listens over TCP: to the machine itself, to others, for others.
# expect: contained
import socket

attempt("connect here", socket.create_connection, ("127.0.0.1", given["tcp"]), 0.5)
attempt("connect by name", socket.create_connection, ("localhost", given["tcp"]), 0.5)
attempt("connect elsewhere", socket.create_connection, ("192.0.2.1", 80), 0.5)
attempt("listen", socket.create_server, ("127.0.0.1", 0))
attempt("listen for all", socket.create_server, ("", 0))
attempt("a socket", socket.socket, socket.AF_INET, socket.SOCK_STREAM)
attempt("a socket of IPv6", socket.socket, socket.AF_INET6, socket.SOCK_STREAM)
attempt("a socket of MPTCP", socket.socket, socket.AF_INET, socket.SOCK_STREAM, 262)
print("contained")
