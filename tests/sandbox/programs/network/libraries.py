# Uses what the standard library brings for networks.
# expect: contained
import urllib.request


def fetch(address):
    return urllib.request.urlopen(address, timeout=0.5).read()


attempt("fetch", fetch, f"http://127.0.0.1:{given['tcp']}/")
attempt("fetch a file", fetch, "file://" + given["secret"])
attempt("fetch from outside", fetch, "http://192.0.2.1/")
print("contained")
