# Changes builtins, modules, classes and globals: the next program runs in a child of the same zygote.
# expect: contained
import builtins
import json as changed
import math

builtins.len = lambda _: 42
builtins.left = True
changed.left = math.left = True
math.sqrt = lambda _: 42.0
sys.modules["left"] = math
sys.path.insert(0, ".")
sys.meta_path.clear()
sys.setrecursionlimit(50_000)
sys.settrace(lambda *_: None)
os.left = True
os.chdir("/")
os.umask(0o777)
# --- next run ---
import builtins
import math

if len("ab") != 2 or math.sqrt(4) != 2 or hasattr(builtins, "left") or hasattr(os, "left"):
    print("ESCAPED", "a builtin was changed")
if "left" in sys.modules or "." in sys.path or sys.gettrace() or sys.getrecursionlimit() > 2000:
    print("ESCAPED", "the interpreter was changed")
if os.umask(0o22) == 0o777 or os.getcwd() == "/":
    print("ESCAPED", "the process was changed")
print("contained")
