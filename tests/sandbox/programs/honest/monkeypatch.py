# Tests that replace standard input.
# --- code
def f():
    return int(input())
# --- tests
import io
def test_f(monkeypatch):
    monkeypatch.setattr('sys.stdin', io.StringIO('4'))
    assert f() == 4
