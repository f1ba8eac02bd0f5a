# Decimals and fractions are values.
# --- code
from decimal import Decimal
from fractions import Fraction
def f(x):
    return Decimal(x) / 3, Fraction(1, x)
# --- tests
from decimal import Decimal
from fractions import Fraction
assert f(3) == (Decimal(1), Fraction(1, 3))
