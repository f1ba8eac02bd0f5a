// Plain inputs in, plain values out: calls of a function, and programs that read and print.

function tell(message) {
  writeFrame(RESULTS, message);
}

// Runs `pending`, an async function, until it settles. What is thrown outside of it meanwhile ends it
// too, and so does an event loop with nothing left that could settle it.
function attempt(pending) {
  return new Promise((resolve, reject) => {
    const done = (settle) => (value) => {
      process.removeListener('uncaughtException', failed);
      process.removeListener('beforeExit', stuck);
      settle(value);
    };
    const failed = done(reject);
    const stuck = () => failed(new UnsettledError('it waits for a promise that nothing settles'));
    process.on('uncaughtException', failed);
    process.on('beforeExit', stuck);
    settled(pending(), done(resolve), done(reject));
  });
}

async function calls(payload) {
  let called;
  try {
    called = entryPoint(await attempt(() => load(payload.code)), payload.entry_point);
  } catch (error) {
    tell(`{"load":${stringify(raised(error))}}`);
    return 0;
  }
  for (let number = 0; number < payload.calls.length; number += 1) {
    tell(`{"n":${number},${await answered(called, payload.calls[number])}}`);
  }
  return 0;
}

// Arguments by name have no like in JavaScript: they come last, as one object.
async function answered(called, [args, named]) {
  try {
    const options = decode(named);
    const given = [...decode(args), ...(keys(options).length ? [options] : [])];
    const value = await attempt(async () => called(...given));
    return `"ok":${encode(value, FOR_PYTHON)}`;
  } catch (error) {
    return `"ex":${stringify(raised(error))}`;
  }
}

// Ends as node does: with the loop, an exception, or `process.exit`.
async function program(payload) {
  process.on('uncaughtExceptionMonitor', (error) => tell(`{"load":${stringify(raised(error))}}`));
  process.on('exit', (code) => tell(`{"done":${code}}`));
  try {
    await load(payload.code, { main: true });
  } catch (error) {
    process.nextTick(() => {
      throw error; // outside of our promise, where the program's own handlers hear of it
    });
  }
  return null;
}
