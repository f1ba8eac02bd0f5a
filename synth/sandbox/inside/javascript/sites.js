// The asserts of test source: where they stand, and what becomes of each.

const TESTS = path.join(path.dirname(FILE), 'tests.js');
// Copies: in one process with the tests, a program could change the module's own functions.
const LOOSE = { ...require('node:assert') };
const STRICT = { ...LOOSE.strict };
const ASSERTS = Object.keys(LOOSE).filter(
  (name) => typeof LOOSE[name] === 'function' && !/^[A-Z]|^strict$/.test(name),
);
const RUNNING_CODE = ['throws', 'doesNotThrow', 'rejects', 'doesNotReject'];
const CALLED = new RegExp(`(?<![\\w$])(?:assert|expect|${ASSERTS.join('|')})(?=\\s*\\()`, 'g');
const IN_TESTS = /tests\.js:(\d+):(\d+)/;
const REGULAR_EXPRESSION = /\/(?![*/])(?:\\.|\[(?:\\.|[^\]\n])*\]|[^/\\[\n])+\/[a-z]*/y;
const COMMENT_OR_TEXT =
  /\/\/[^\n]*|\/\*[^]*?\*\/|'(?:\\[^]|[^'\\\n])*'|"(?:\\[^]|[^"\\\n])*"|`(?:\\[^]|[^`\\])*`/y;

// Returns source with blanks in place of comments and of what stands in quotes.
function blanked(source) {
  let [text, before] = ['', ''];
  for (let at = 0; at < source.length; ) {
    const found = tokenAt(COMMENT_OR_TEXT, source, at) ?? regularExpressionAt(source, at, before);
    text += found === undefined ? source[at] : found.replace(/[^\n]/g, ' ');
    if (found === undefined && /\S/.test(source[at])) before = source[at];
    else if (found !== undefined && !/^\/[/*]/.test(found)) before = '"';
    at += found?.length ?? 1;
  }
  return text;
}

function tokenAt(pattern, source, at) {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

// A slash divides after a value, and begins a regular expression elsewhere.
function regularExpressionAt(source, at, before) {
  return /[\w$)\]}"]/.test(before) ? undefined : tokenAt(REGULAR_EXPRESSION, source, at);
}

class Sites {
  constructor(source) {
    this.outcomes = new Map();
    this.throwing = 0; // within an assert that something throws, asserts throw themselves
    this.pending = [];
    this.counted = 0;
    this.lines = [];
    this.places = new Map();
    const lines = blanked(source).split('\n');
    lines.forEach((text, line) => {
      for (const { index } of text.matchAll(CALLED)) {
        this.places.set(`${line + 1}:${index + 1}`, this.lines.length);
        this.lines.push(line + 1);
      }
    });
  }

  // Returns the assert that is being called; -1 for one that no text shows.
  here() {
    const place = match(IN_TESTS, new Error('here').stack);
    return (place !== null && this.places.get(`${place[1]}:${place[2]}`)) ?? -1;
  }

  settle(site, outcome, message) {
    const told = { outcome, message: slice(message, 0, LONGEST_MESSAGE) };
    if (site < 0) {
      if (outcome !== 'pass') report({ test: 'assert', ...told });
      return;
    }
    this.counted += 1;
    const known = this.outcomes.get(site);
    if (known === outcome || (known !== undefined && known !== 'pass')) return;
    this.outcomes.set(site, outcome);
    report({ site, ...told });
  }

  // Runs what an assert does, and counts it; what it throws is its failure and ends no test.
  count(site, check) {
    if (this.throwing > 0) return check();
    const failed = (error) => {
      this.settle(site, 'fail', failure(error));
    };
    const held = () => this.settle(site, 'pass', '');
    let value;
    try {
      value = check();
    } catch (error) {
      return failed(error);
    }
    if (!types.isPromise(value)) return held();
    const all = value.then(held, failed);
    this.pending.push(all);
    return all;
  }

  // Runs code of the tests that may throw on purpose.
  mayThrow(code) {
    this.throwing += 1;
    try {
      return code();
    } finally {
      this.throwing -= 1;
    }
  }

  // Gives what was thrown in a test to the assert in its line; returns whether there was one.
  blame(error, message) {
    const place = match(IN_TESTS, String(error?.stack));
    const line = place === null ? 0 : Number(place[1]);
    const site = this.lines.findIndex((at, one) => at === line && !this.outcomes.has(one));
    if (site < 0) return false;
    this.settle(site, 'error', message);
    return true;
  }

  // What has never run, because something was thrown before, has not passed.
  settleRest(message) {
    this.lines.forEach((_, site) => {
      if (!this.outcomes.has(site)) this.settle(site, 'error', message);
    });
  }
}

function failure(error) {
  const [name, message] = raised(error);
  return error?.code === 'ERR_ASSERTION' ? message : `${name}: ${message}`;
}

// Returns the module `assert`, whose functions count; strict or not.
function countingAssert(sites, real) {
  const counted = (function_) =>
    function (...args) {
      const site = sites.here();
      const [code, ...more] = args;
      const runs = RUNNING_CODE.includes(function_.name) && typeof code === 'function';
      const given = runs ? [() => sites.mayThrow(code), ...more] : args;
      return sites.count(site, () => function_(...given));
    };
  const made = counted(real.ok);
  for (const name of Object.keys(real)) made[name] = real[name];
  for (const name of ASSERTS) made[name] = counted(real[name]);
  return made;
}
