# An async function.
# --- code
import asyncio
async def f(x):
    await asyncio.sleep(0)
    return x + 1
# --- tests
import asyncio
def test_run():
    assert asyncio.run(f(1)) == 2
async def test_awaited():
    assert await f(2) == 3
