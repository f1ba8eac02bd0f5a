# Dates, times and differences are values.
# --- code
import datetime
def f(h):
    zone = datetime.timezone(datetime.timedelta(hours=h))
    return datetime.datetime(2020, 1, 1, tzinfo=zone), datetime.date(2020, 2, 29), datetime.timedelta(1)
# --- tests
import datetime
at, day, long = f(2)
assert at.utcoffset() == datetime.timedelta(hours=2)
assert day.year == 2020 and day.month == 2
assert long == datetime.timedelta(days=1)
