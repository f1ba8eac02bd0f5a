# Gives itself more of everything.
# expect: contained
import resource

for name in [name for name in dir(resource) if name.startswith("RLIMIT_")]:
    number = getattr(resource, name)
    now = resource.getrlimit(number)
    for wanted in ((-1, -1), (now[0] + 1, now[1] + 1), now):
        attempt(f"set {name}", resource.setrlimit, number, wanted)
        attempt(f"set {name} of itself", resource.prlimit, 0, number, wanted)
print("contained")
