# Texts of all scripts.
# --- code
def f(text):
    return text[::-1].upper()
# --- tests
assert f('straße') == 'ESSARTS'
assert f('😀é') == 'É😀'
assert f('\x00') == '\x00'
