// The tests' end of the channel: functions that stand for the program's. A call waits for its answer.

const ERRORS = new Map(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError].map((kind) => [kind.name, kind]),
);
const errorsOfTests = [];
const ownFunctions = [];
let asking = false;
const TO_PROGRAM = exactly((value) => {
  if (typeof value !== 'function') return cannotSplit(`an argument of type ${kindOf(value)}`);
  ownFunctions.push(value);
  return `["c",${ownFunctions.length - 1}]`;
});
const fromProgram = readingExactly(([tag, told]) => {
  if (tag === 'c') return numbered(ownFunctions, told) ?? gone('nonsense');
  return tag === '?' ? cannotSplit(`a value of type ${told}`) : gone('nonsense');
});

// Returns an item of a list by a number that the program sent; undefined for anything else.
function numbered(list, number) {
  return isInteger(number) && number >= 0 && number < list.length ? list[number] : undefined;
}

function cannotSplit(why) {
  report({ cannot_split: String(why) });
  exit(0);
}

// Ends the tests: the program has ended (`end`), or answers with `nonsense`.
function gone(how) {
  report({ gone: how });
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
  let said;
  try {
    said = readFrame(CHANNEL);
  } catch {
    return gone('nonsense'); // what it wrote is no message
  }
  if (said === null) return gone('end');
  return typeof said === 'object' ? said : gone('nonsense');
}

function say(message) {
  try {
    writeFrame(CHANNEL, message);
  } catch {
    gone('end');
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
    const value = (numbered(ownFunctions, back) ?? gone('nonsense'))(...args.map(fromProgram));
    if (types.isPromise(value)) cannotSplit('a test function that is asynchronous');
    return `{"returned":${encode(value, TO_PROGRAM)}}`;
  } catch (error) {
    errorsOfTests.push([error]);
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
  if (!('ok' in said)) gone('nonsense');
  for (const [place, now] of said.changed) refill(numbered(args, place), fromProgram(now));
  const value = numbered(args, said.same) ?? fromProgram(said.ok);
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
    for (const name of keys(now)) put(arg, name, now[name]);
  }
}

function errorOf(told) {
  if ('thrown' in told) return fromProgram(told.thrown);
  const ours = numbered(errorsOfTests, told.again);
  if (ours !== undefined) return ours[0];
  const above = ERRORS.get(told.lineage.find((name) => ERRORS.has(name))) ?? Error;
  const kind = told.lineage[0];
  const Kind = kind === above.name ? above : { [kind]: class extends above {} }[kind];
  const made = new Kind(told.message);
  for (const name of keys(told.own)) put(made, name, told.own[name]);
  if (made.name !== told.name) made.name = told.name;
  return made;
}
