# Reads the project that runs it, where tests and answers may lie.
# expect: contained
attempt("list the project", os.listdir, given["project"])
attempt("read its settings", open, os.path.join(given["project"], "pyproject.toml"))
attempt("list its sources", os.listdir, os.path.join(given["project"], "synth"))
for name in ("synth", "verifiers", "pytest", "pydantic"):
    attempt(f"import {name}", __import__, name)
print("contained")
