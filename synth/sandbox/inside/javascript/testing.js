// Runs test source: apart from the program, through stand-ins; or together with it.

const IMPORT = /^([ \t]*)import\s+(?:([\w$*{][^'"]*?)\s+from\s+)?(['"])(.+?)\3;?/gm;
const EXPORT = /^([ \t]*)export\s+(?:default\s+)?(?=(?:async\s+)?(?:function|class|const|let|var)\b)/gm;
const RUNNERS = ['@jest/globals', 'vitest', 'mocha', 'bun:test', 'jasmine'];
const realConsole = console;

let nonce = '';

function report(told) {
  tell(stringify({ __proto__: null, nonce, ...told }));
}

// The tests' half; the program is at the other end of the channel.
async function tests(payload) {
  nonce = payload.nonce;
  await runTests(payload, remoteProgram());
  return 0;
}

// Both in one process. What the program does to it is why such outcomes are weak.
async function together(payload) {
  nonce = payload.nonce;
  fs.closeSync(PAYLOAD);
  let loaded;
  try {
    loaded = await attempt(() => load(payload.code));
  } catch (error) {
    report({ load: raised(error) });
    return 0;
  }
  const solution = Object(wholeModule(loaded) ?? {});
  for (const [name, value] of defined(loaded, payload.code)) {
    defineProperty(solution, name, { value, enumerable: true, configurable: true, writable: true });
  }
  await runTests(payload, { solution, candidate: (wanted) => entryPoint(loaded, wanted) });
  return 0;
}

async function runTests(payload, program) {
  const source = asScript(payload.tests);
  const sites = new Sites(source);
  const suite = new Suite(sites);
  const infrastructure = offered(sites, suite);
  const named = namesOf(program.solution);
  let run;
  try {
    if (payload.entry_point) named.candidate = program.candidate(payload.entry_point);
  } catch (error) {
    report({ load: raised(error) });
    return;
  }
  try {
    run = compiled(asScript(payload.setup), source)(named, infrastructure);
  } catch (error) {
    report({ unreadable: raised(error).slice(0, 2).join(': ') });
    return;
  }
  report({ sites: sites.lines });
  if (hides(named, source)) report({ weak: true });
  let reach = () => undefined;
  infrastructure.__synth_reach = (given) => (reach = given);
  const require = requiring(program.solution, { infrastructure, sites, suite });
  if (await suite.passes('', () => run({}, require, { exports: {} }, TESTS, path.dirname(TESTS)))) {
    const check = reach('typeof check === "function" ? check : undefined');
    if (check) suite.names(false).test('check', () => check(named.candidate));
    await suite.run();
  }
  if (suite.escaped > 0) sites.settleRest('not run: something was thrown before');
  report({ done: true });
}

// Returns the program's names alone, for a scope: what all objects have would be names there too.
function namesOf(solution) {
  const named = Object.create(null);
  for (const name of Object.keys(solution)) {
    defineProperty(named, name, Object.getOwnPropertyDescriptor(solution, name));
  }
  return named;
}

// Whether the program gives a name of the language, which the tests use, a meaning of its own.
function hides(named, source) {
  const used = new Set(blanked(source).match(IDENTIFIERS));
  return keys(named).some((name) => GLOBALS.has(name) && used.has(name));
}

// Imports become calls of `require`, in as many lines.
function asScript(source) {
  const lines = (text) => '\n'.repeat(text.split('\n').length - 1);
  return source
    .replace(IMPORT, (all, indent, names, _, from) => {
      const asked = `require(${stringify(from)})`;
      return `${indent}${names ? imported(names, asked) : asked};${lines(all)}`;
    })
    .replace(EXPORT, (all, indent) => indent + lines(all));
}

function imported(names, asked) {
  const [, whole, , rest] = /^([\w$]+)?(\s*,\s*)?([^]*)$/.exec(names);
  const parts = whole ? [`${whole} = __synth_default(${asked})`] : [];
  if (rest.startsWith('*')) parts.push(`${rest.replace(/^\*\s*as\s+/, '')} = ${asked}`);
  else if (rest) parts.push(`${rest.replace(/\s+as\s+/g, ': ').replace(/\n/g, ' ')} = ${asked}`);
  return `const ${parts.join(', ')}`;
}

// Returns a function of the names of the program and of ours, which returns what runs the source.
function compiled(setup, source) {
  const before = setup ? `${setup}\n` : '';
  const opening =
    '(function (__synth_named, __synth_offered) { with (__synth_named) with (__synth_offered) ' +
    'return async function (exports, require, module, __filename, __dirname) {';
  const text = `${opening}${before}${source}\n;__synth_reach(${REACH});\n}})`;
  return new vm.Script(text, {
    filename: TESTS,
    lineOffset: -(before.split('\n').length - 1),
    columnOffset: -opening.length,
  }).runInThisContext();
}

function offered(sites, suite) {
  const console = Object.create(realConsole);
  console.assert = (held, ...told) =>
    sites.count(sites.here(), () => LOOSE.ok(held, told.map(String).join(' ') || undefined));
  return {
    ...suite.names(false),
    assert: countingAssert(sites, LOOSE),
    expect: expecting(sites),
    console,
    __proto__: null,
    __synth_default: (module) => module?.default ?? module,
  };
}

// Returns the tests' `require`: any file beside them is the program.
function requiring(solution, { infrastructure, sites, suite }) {
  const real = Module.createRequire(TESTS);
  const strict = countingAssert(sites, STRICT);
  infrastructure.assert.strict = strict.strict = strict;
  return (name) => {
    switch (name.replace(/^node:/, '')) {
      case 'assert':
        return infrastructure.assert;
      case 'assert/strict':
        return strict;
      case 'test':
        return Object.assign(suite.names(true).test, suite.names(true));
      default:
        if (RUNNERS.includes(name)) return infrastructure;
        return /^\.|^solution$/.test(name) ? solution : real(name);
    }
  };
}
