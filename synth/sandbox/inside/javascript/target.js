// The program's side of split tests: it calls what it is asked to and never sees what is expected.

const IDENTIFIERS = /[A-Za-z_$][\w$]*/g;
const callbacks = new Map();
const TO_TESTS = exactly((value) => {
  const number = callbacks.get(value);
  return number === undefined ? opaque(value) : `["c",${number}]`;
});

let calling = false;
let calledLate = false;
const raisedByTests = new WeakMap();

async function target(payload) {
  let loaded;
  try {
    loaded = await attempt(() => load(payload.code));
  } catch (error) {
    writeFrame(CHANNEL, `{"load":${stringify(raised(error))}}`);
    return 0;
  }
  const whole = wholeModule(loaded) !== undefined;
  writeFrame(CHANNEL, `{"names":${described(loaded, payload.code)},"whole":${whole}}`);
  const busy = waitingFor();
  for (let asked = readFrame(CHANNEL); asked !== null; asked = readFrame(CHANNEL)) {
    writeFrame(CHANNEL, await answer(loaded, asked, busy));
  }
  return 0;
}

// Yields what the code defines: its names all stand in it, exported or not.
function* defined(loaded, code) {
  const names = new Set(code.match(IDENTIFIERS));
  for (const name of Object.keys(Object(loaded.exported))) names.add(name);
  for (const name of names) {
    const value = lookUp(loaded, name);
    if (value !== undefined) yield [name, value];
  }
}

function described(loaded, code) {
  const pairs = [];
  for (const [name, value] of defined(loaded, code)) {
    const callable = typeof value === 'function' && !isClass(value);
    const told = callable ? '["call"]' : encode(value, TO_TESTS);
    pairs.push(`[${stringify(name)},${told}]`);
  }
  return `[${pairs.join(',')}]`;
}

function waitingFor() {
  return process.getActiveResourcesInfo().length;
}

// Returns what a call returned, with the arguments that it changed, or what it raised.
async function answer(loaded, asked, busy) {
  let waits = false;
  try {
    const args = asked.args.map(readingExactly(called));
    const function_ = entryPoint(loaded, asked.call);
    let value = during(() => function_(...args));
    waits = types.isPromise(value);
    if (waits) value = await attempt(() => value);
    else if (await goesOn(busy)) return '{"cannot":"it goes on after it has returned"}';
    const same = typeof value === 'object' && value !== null ? args.indexOf(value) : -1;
    const told = `"ok":${encode(value, TO_TESTS)},"same":${same}`;
    return `{${told},"waits":${waits},"changed":${changed(asked.args, args)}}`;
  } catch (error) {
    return `{"ex":${errorToldAnyway(error)},"waits":${waits}}`;
  }
}

function during(call) {
  calling = true;
  try {
    return call();
  } finally {
    calling = false;
  }
}

// Whether a call has left something to be done later: in two processes that would never be.
async function goesOn(busy) {
  await new Promise((resolve) => setImmediate(resolve));
  return calledLate || waitingFor() > busy;
}

function changed(before, args) {
  const now = [];
  args.forEach((arg, place) => {
    if (typeof arg !== 'object' || arg === null) return;
    const text = encode(arg, TO_TESTS);
    if (text !== stringify(before[place])) now.push(`[${place},${text}]`);
  });
  return `[${now.join(',')}]`;
}

// Returns a function of the tests, which runs there.
function called([tag, number]) {
  if (tag !== 'c') throw new TypeError('the tests sent what is no value');
  const callback = (...args) => {
    if (!calling) {
      calledLate = true;
      return undefined;
    }
    const sent = args.map((arg) => encode(arg, TO_TESTS)).join(',');
    writeFrame(CHANNEL, `{"back":${number},"args":[${sent}]}`);
    const said = readFrame(CHANNEL);
    if ('returned' in said) return readingExactly(called)(said.returned);
    const error = new Error(said.raised[1]);
    raisedByTests.set(error, said.raised[0]);
    throw error;
  };
  callbacks.set(callback, number);
  return callback;
}

function errorToldAnyway(error) {
  try {
    return errorTold(error);
  } catch {
    return errorTold(new Error('it threw what cannot be told'));
  }
}

function errorTold(error) {
  if (!types.isNativeError(error)) return `{"thrown":${encode(error, TO_TESTS)}}`;
  const own = {};
  for (const name of Object.keys(error)) {
    if (['string', 'number', 'boolean'].includes(typeof error[name])) own[name] = error[name];
  }
  const lineage = [];
  for (let at = getPrototypeOf(error); at !== null; at = getPrototypeOf(at)) {
    lineage.push(String(at.constructor?.name));
  }
  const again = raisedByTests.get(error) ?? -1;
  const told = { name: String(error.name), message: String(error.message), lineage, own, again };
  return stringify({ ...told, raised: raised(error) });
}
