# Has names looked up: a question to a server carries whatever the name says.
# expect: contained
import socket

for name in ("example.com", "a-secret.example.com", "localhost"):
    attempt(f"look {name} up", socket.gethostbyname, name)
attempt("look an address up", socket.gethostbyaddr, "127.0.0.1")
print("contained")
