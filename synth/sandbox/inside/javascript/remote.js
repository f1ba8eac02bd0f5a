// The tests' end of the channel: functions that stand for the program's. A call waits for its answer.

const ERRORS = new Map(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((kind) => [kind.name, kind]),
);
const errorsOfTests = [];
const callbacks = [];
let asking = false;
const TO_PROGRAM = exactly((value) => {
  if (typeof value !== 'function') return cannotSplit(`an argument of type ${kindOf(value)}`);
  callbacks.push(value);
  return `["c",${callbacks.length - 1}]`;
});
const fromProgram = readingExactly(([tag, kind]) =>
  tag === '?' ? cannotSplit(`a value of type ${kind}`) : gone(),
);

function cannotSplit(why) {
  report({ cannot_split: String(why) });
  exit(0);
}

function gone() {
  report({ gone: true });
  exit(0);
}

// Returns an object with what the program defines, and what finds its entry point.
function remoteProgram() {
  const said = hear();
  if ('load' in said) {
    report({ load: said.load });
    exit(0);
  }
  const solution = said.whole ? standIn('default') : {};
  for (const [name, told] of said.names) {
    const get = isArray(told) && told[0] === 'call' ? always(standIn(name)) : () => fromProgram(told);
    defineProperty(solution, name, { get, enumerable: true, configurable: true });
  }
  return { solution, candidate: (wanted) => remoteCandidate(solution, wanted, said.whole) };
}

function remoteCandidate(solution, wanted, whole) {
  const [first, ...more] = wanted.split('.');
  const known = hasOwn(solution, first);
  if (!known && !whole) throw new NoEntryPointError(`the code defines no '${wanted}'`);
  return known && more.length === 0 ? solution[first] : standIn(wanted);
}

function always(value) {
  return () => value;
}

function hear() {
  try {
    const said = readFrame(CHANNEL);
    if (said !== null && typeof said === 'object') return said;
  } catch {
    // What it wrote is no message.
  }
  return gone();
}

function say(message) {
  try {
    writeFrame(CHANNEL, message);
  } catch {
    gone();
  }
}

function standIn(name) {
  return function (...args) {
    if (new.target !== undefined) cannotSplit(`objects of ${name}`);
    return ask(name, args);
  };
}

function ask(name, args) {
  if (asking) cannotSplit('a test function that calls the program');
  asking = true;
  const sent = args.map((arg) => encode(arg, TO_PROGRAM)).join(',');
  say(`{"call":${stringify(name)},"args":[${sent}]}`);
  let said = hear();
  for (; 'back' in said; said = hear()) say(calledBack(said));
  asking = false;
  if ('cannot' in said) cannotSplit(said.cannot);
  return taken(said, args);
}

function calledBack({ back, args }) {
  try {
    const value = callbacks[back](...args.map(fromProgram));
    if (types.isPromise(value)) cannotSplit('a test function that is asynchronous');
    return `{"returned":${encode(value, TO_PROGRAM)}}`;
  } catch (error) {
    errorsOfTests.push(error);
    const message = types.isNativeError(error) ? error.message : util.inspect(error);
    return `{"raised":[${errorsOfTests.length - 1},${stringify(String(message))}]}`;
  }
}

function taken(said, args) {
  if ('ex' in said) {
    const error = errorOf(said.ex);
    if (said.waits === true) return Promise.reject(error);
    throw error;
  }
  if (!('ok' in said)) gone();
  for (const [place, now] of said.changed) refill(args[place], fromProgram(now));
  const value = said.same in args ? args[said.same] : fromProgram(said.ok);
  return said.waits === true ? Promise.resolve(value) : value;
}

// Makes an argument hold what the program's copy of it holds now.
function refill(arg, now) {
  if (isArray(arg)) arg.splice(0, arg.length, ...now);
  else if (arg instanceof Set || arg instanceof Map) {
    arg.clear();
    now.forEach((value, key) => (arg instanceof Set ? arg.add(value) : arg.set(key, value)));
  } else if (ArrayBuffer.isView(arg)) arg.set(now);
  else {
    for (const name of keys(arg)) delete arg[name];
    Object.assign(arg, now);
  }
}

function errorOf(told) {
  if ('thrown' in told) return fromProgram(told.thrown);
  if (told.again in errorsOfTests) return errorsOfTests[told.again];
  const above = ERRORS.get(told.lineage.find((name) => ERRORS.has(name))) ?? Error;
  const kind = told.lineage[0];
  const Kind = kind === above.name ? above : { [kind]: class extends above {} }[kind];
  const made = Object.assign(new Kind(told.message), told.own);
  if (made.name !== told.name) made.name = told.name;
  return made;
}
