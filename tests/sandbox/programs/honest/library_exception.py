# An exception of the standard library.
# --- code
import json
def f(text):
    return json.loads(text)
# --- tests
import json
import pytest
with pytest.raises(json.JSONDecodeError):
    f('{')
assert f('[1]') == [1]
