// `describe`, `test` and `it` with their hooks: collected while the source runs, run after it.

const HOOKS = ['before', 'after', 'beforeEach', 'afterEach'];

class Group {
  constructor(name, above) {
    this.name = name;
    this.above = above;
    this.items = [];
    for (const hook of HOOKS) this[hook] = [];
  }

  get path() {
    return this.above === undefined ? [] : [...this.above.path, this.name];
  }
}

class Suite {
  constructor(sites) {
    this.sites = sites;
    this.group = new Group('');
    this.escaped = 0;
  }

  // Returns the names that test source calls; with `contexts` as node:test has them.
  names(contexts) {
    const test = this.variants((name, code) => {
      this.group.items.push({ name, code, contexts });
    });
    const describe = this.variants((name, code) => this.describe(name, code));
    const made = { test, it: test, describe, suite: describe };
    for (const hook of HOOKS) made[hook] = (code) => this.group[hook].push(code);
    return { ...made, beforeAll: made.before, afterAll: made.after };
  }

  variants(register) {
    const given = (name, ...more) => {
      const code = [name, ...more].find((one) => typeof one === 'function');
      if (code !== undefined) register(String(name), code);
    };
    given.only = given;
    given.skip = () => {};
    given.todo = () => {};
    given.each = (table) => (name, code) => {
      table.forEach((row) => given(name, () => code(...(isArray(row) ? row : [row]))));
    };
    return given;
  }

  describe(name, code) {
    const above = this.group;
    this.group = new Group(name, above);
    above.items.push(this.group);
    try {
      code();
    } finally {
      this.group = above;
    }
  }

  async run(group = this.group) {
    if (!(await this.all(group.before, group))) return;
    for (const item of group.items) {
      await (item instanceof Group ? this.run(item) : this.runTest(item, group));
    }
    await this.all(group.after, group);
  }

  all(hooks, group) {
    const name = group.path.join(' ');
    return this.passes(name, async () => {
      for (const hook of hooks) await finished(hook, []);
    });
  }

  async runTest({ name, code, contexts }, group) {
    const before = this.sites.counted;
    const full = [...group.path, name].join(' ');
    const groups = [];
    for (let at = group; at !== undefined; at = at.above) groups.push(at);
    const hooks = (hook) => groups.flatMap((one) => one[hook]);
    const ran = await this.passes(full, async () => {
      for (const one of groups.toReversed().flatMap((at) => at.beforeEach)) await finished(one, []);
      await finished(code, contexts ? [this.context(full)] : []);
      for (const one of hooks('afterEach')) await finished(one, []);
    });
    if (ran && this.sites.counted === before) report({ test: full, outcome: 'pass', message: '' });
  }

  context(name) {
    const test = (inner, ...more) =>
      this.passes(`${name} ${inner}`, () => finished(more.at(-1), [this.context(name)]));
    return { name, test, it: test, diagnostic() {}, skip() {}, todo() {} };
  }

  // Runs code of the tests; returns whether nothing was thrown outside of its asserts.
  async passes(name, code) {
    try {
      await attempt(async () => {
        await code();
        await Promise.all(this.sites.pending.splice(0));
      });
      return true;
    } catch (error) {
      this.escaped += 1;
      const outcome = error?.code === 'ERR_ASSERTION' ? 'fail' : 'error';
      const message = failure(error);
      if (!this.sites.blame(error, message)) {
        report({ test: name, outcome, message: slice(message, 0, LONGEST_MESSAGE) });
      }
      return false;
    }
  }
}

// Runs a test or hook to its end: that of its promise, or until it calls the `done` that it takes.
function finished(code, given) {
  if (given.length > 0 || code.length === 0) return code(...given);
  return new Promise((resolve, reject) => {
    code((error) => (error ? reject(error) : resolve()));
  });
}
