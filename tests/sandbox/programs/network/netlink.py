# Asks the kernel about the network, and has it changed.
# expect: contained
import socket

attempt("routes", socket.socket, socket.AF_NETLINK, socket.SOCK_RAW, 0)
attempt("events", socket.socket, socket.AF_NETLINK, socket.SOCK_DGRAM, 15)
attempt("crypto", socket.socket, 38, socket.SOCK_SEQPACKET)
attempt("interfaces", socket.if_nameindex)
print("contained")
