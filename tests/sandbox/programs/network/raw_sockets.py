# Makes packets of its own.
# expect: contained
import socket

attempt("ICMP", socket.socket, socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
attempt("ping", socket.socket, socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)
attempt("packets", socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 3)
attempt("virtual machines", socket.socket, 40, socket.SOCK_STREAM)
attempt("bluetooth", socket.socket, 31, socket.SOCK_RAW)
print("contained")
