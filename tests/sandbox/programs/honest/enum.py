# Members of an enumeration.
# --- code
import enum
class Color(enum.Enum):
    RED = 1
    GREEN = 2
def f(x):
    return Color(x)
# --- tests
assert f(1) == Color.RED
assert f(2) is Color.GREEN
assert f(1).name == 'RED'
assert [color.value for color in Color] == [1, 2]
