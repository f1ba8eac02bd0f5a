# Sends over UDP, which needs nobody to accept.
# expect: contained
import socket


def send(family, address):
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        return sender.sendto(b"out", (address, given["udp"]))


attempt("to the machine", send, socket.AF_INET, "127.0.0.1")
attempt("to the machine by IPv6", send, socket.AF_INET6, "::1")
attempt("to everybody", send, socket.AF_INET, "255.255.255.255")
print("contained")
