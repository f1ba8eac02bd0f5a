// Loading code as a module, finding what is to be called in it, and telling what it raised.

const FILE = path.join(process.cwd(), 'solution.js');
const OF_A_MODULE = ['exports', 'require', 'module', '__filename', '__dirname', 'arguments'];
// A name is evaluated where the code is: its functions need not be exported.
const REACH = '(__synth_name) => eval(__synth_name)';
const IS_NAME = /^[A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*$/;
const WANTS_ES_MODULE =
  /Cannot use import statement|Unexpected token 'export'|import\.meta|await is only valid|Unexpected reserved word|Unexpected strict mode reserved word 'await'/;
const LONGEST_MESSAGE = 500;

// Where the system has these names there is no /proc for them here.
const STANDARD = { __proto__: null, '/dev/stdin': 0, '/dev/stdout': 1, '/dev/stderr': 2 };

class NoEntryPointError extends Error {}
class UnsettledError extends Error {}

// Leaves a program the globals that node has where it runs a file.
function becomeFileRunner() {
  const { webcrypto } = require('node:crypto');
  const native = ['console', 'process', 'performance', 'crypto'];
  for (const name of [...Module.builtinModules, ...OF_A_MODULE]) {
    if (!native.includes(name)) delete globalThis[name];
  }
  defineProperty(globalThis, 'crypto', { value: webcrypto, writable: true, configurable: true });
  process.argv = [process.execPath, FILE];
  process.execArgv = [];
  ['stdout', 'stderr'].forEach(writeAtOnce);
  for (const name of ['readFileSync', 'writeFileSync', 'appendFileSync', 'openSync', 'readFile']) {
    const given = fs[name];
    fs[name] = (file, ...more) => given(STANDARD[file] ?? file, ...more);
  }
  const { createReadStream } = fs;
  fs.createReadStream = (file, options) =>
    file in STANDARD
      ? createReadStream('', { ...(typeof options === 'string' ? {} : options), fd: STANDARD[file] })
      : createReadStream(file, options);
  Module.syncBuiltinESMExports();
  for (const name of Object.getOwnPropertyNames(globalThis)) GLOBALS.add(name);
}

// Has a stream write before it goes on: what waits to be written would be lost at an exit.
function writeAtOnce(name) {
  const { get } = Object.getOwnPropertyDescriptor(process, name);
  let stream;
  const opened = () => {
    if (stream === undefined) {
      stream = get.call(process);
      stream._handle?.setBlocking?.(true);
    }
    return stream;
  };
  defineProperty(process, name, { get: opened, configurable: true, enumerable: true });
}

// The names that the language has without any code.
const GLOBALS = new Set();

// Returns {named, exported}: a function from a name to what the code means by it, and its exports.
async function load(code, { main = false } = {}) {
  const asModule = new Module(main ? '.' : FILE, null);
  asModule.filename = FILE;
  asModule.paths = [];
  if (main) process.mainModule = asModule;
  try {
    vm.compileFunction(code, OF_A_MODULE.slice(0, 5), { filename: FILE });
  } catch (error) {
    if (!match(WANTS_ES_MODULE, String(error.message))) throw error;
    return loadAsESModule(code);
  }
  Module._cache[FILE] = asModule;
  let named = () => undefined;
  const taken = `__synth_${Math.random().toString(36).slice(2)}`;
  defineProperty(globalThis, taken, { value: (reach) => (named = reach), configurable: true });
  try {
    asModule._compile(`${code}\n;${taken}(${REACH});`, FILE);
  } finally {
    delete globalThis[taken];
  }
  return { named, exported: asModule.exports };
}

async function loadAsESModule(code) {
  const file = FILE.replace(/js$/, 'mjs');
  fs.writeFileSync(file, `${code}\n;export const __synth_reach = ${REACH};`);
  const { __synth_reach: named, ...exported } = await import(require('node:url').pathToFileURL(file));
  return { named, exported };
}

// Returns what the code itself means by a name; undefined where it defines none.
function lookUp({ named, exported }, name) {
  let found;
  try {
    if (match(IS_NAME, name) && !OF_A_MODULE.includes(name)) found = named(name);
  } catch {
    found = undefined; // not in its scope, or not yet
  }
  const foreign = GLOBALS.has(name) && is(found, globalThis[name]);
  if (found !== undefined && !foreign) return found;
  return exported === null || exported === undefined ? undefined : exported[name];
}

// Returns what a dotted path names as a function; a method is that of a new instance of its class.
function entryPoint(loaded, wanted) {
  const [first, ...more] = wanted.split('.');
  let owner;
  let found = lookUp(loaded, first) ?? wholeModule(loaded, more.length);
  for (const name of more) {
    owner = isClass(found) && !(name in found) ? new found() : found;
    found = owner?.[name];
  }
  if (typeof found !== 'function') throw new NoEntryPointError(`the code defines no '${wanted}'`);
  if (isClass(found)) return (...args) => new found(...args);
  return (...args) => Reflect.apply(found, owner, args);
}

// A module that is one function is what is asked for, whatever its name.
function wholeModule({ exported }, deeper) {
  const whole = typeof exported === 'function' ? exported : exported?.default;
  return typeof whole === 'function' && !deeper ? whole : undefined;
}

function isClass(found) {
  return typeof found === 'function' && /^class\b/.test(Function.prototype.toString.call(found));
}

// Returns the name, message and line of what was thrown, whatever it is.
function raised(error) {
  const told = ['Error', '', 0];
  try {
    told[0] = slice(nameOf(error), 0, 80);
    const said = types.isNativeError(error) ? error.message : util.inspect(error, { depth: 1 });
    const first = told[0] === 'ModuleNotFoundError' ? said.split('\n', 1)[0] : said;
    const whole = String(first).replaceAll(`${path.dirname(FILE)}/`, ''); // another one each time
    told[1] = slice(whole, 0, LONGEST_MESSAGE);
    const place = match(/solution\.m?js:(\d+)/, String(error.stack));
    told[2] = place === null ? 0 : Number(place[1]);
  } catch {
    // Its own getters threw; what is known so far is told.
  }
  return told;
}

function nameOf(error) {
  if (error === null || typeof error !== 'object') return 'Thrown';
  if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') return 'MemoryError';
  if (error.code === 'MODULE_NOT_FOUND' || error.code === 'ERR_MODULE_NOT_FOUND') {
    return 'ModuleNotFoundError';
  }
  if (error instanceof RangeError && /allocation failed|could not allocate/.test(error.message)) return 'MemoryError';
  const kind = kindOf(error);
  return kind === 'Error' || kind === 'Object' ? String(error.name ?? kind) : kind;
}
