// `expect(value)` with the matchers that tests use most.

const { isDeepStrictEqual } = util;
const MATCHES = Symbol('matches');

class MatchError extends Error {
  code = 'ERR_ASSERTION';
}

// Whether a value is like another: keys that are undefined do not count, nor do classes.
function like(found, wanted, some = false) {
  if (wanted?.[MATCHES] !== undefined) return wanted[MATCHES](found);
  if (isArray(wanted) && isArray(found)) {
    return wanted.length === found.length && wanted.every((one, at) => like(found[at], one, some));
  }
  if (!isComposite(wanted) || !isComposite(found)) return isDeepStrictEqual(found, wanted);
  const names = new Set([...keys(wanted), ...(some ? [] : keys(found))]);
  return [...names].every((name) => like(found[name], wanted[name], some));
}

function isComposite(value) {
  return Object.prototype.toString.call(value) === '[object Object]';
}

function close(found, wanted, places = 2) {
  return is(found, wanted) || Math.abs(found - wanted) < 10 ** -places / 2;
}

function contains(found, item, same) {
  if (typeof found === 'string') return found.includes(item);
  return [...found].some((one) => same(one, item));
}

function throws(function_, wanted) {
  try {
    function_();
  } catch (error) {
    return isWantedError(error, wanted);
  }
  return false;
}

function isWantedError(error, wanted) {
  const message = String(error?.message ?? error);
  if (wanted === undefined) return true;
  if (typeof wanted === 'string') return message.includes(wanted);
  if (wanted instanceof RegExp) return wanted.test(message);
  if (typeof wanted === 'function') return error instanceof wanted;
  return wanted?.[MATCHES] ? wanted[MATCHES](error) : message === wanted.message;
}

function property(found, where) {
  const steps = isArray(where) ? where : where.split(/[.[\]]/).filter(Boolean);
  const owner = steps.slice(0, -1).reduce((at, step) => at?.[step], found);
  return Object(owner) === owner && steps.at(-1) in owner ? [owner[steps.at(-1)]] : [];
}

const MATCHERS = {
  toBe: is,
  toEqual: (found, wanted) => like(found, wanted),
  toStrictEqual: isDeepStrictEqual,
  toMatchObject: (found, wanted) => like(found, wanted, true),
  toBeCloseTo: close,
  toContain: (found, item) => contains(found, item, is),
  toContainEqual: (found, item) => contains(found, item, like),
  toHaveLength: (found, length) => found.length === length,
  toHaveProperty(found, where, ...wanted) {
    const there = property(found, where);
    return there.length > 0 && (wanted.length === 0 || like(there[0], wanted[0]));
  },
  toThrow: throws,
  toThrowError: throws,
  toBeTruthy: (found) => Boolean(found),
  toBeFalsy: (found) => !found,
  toBeNull: (found) => found === null,
  toBeUndefined: (found) => found === undefined,
  toBeDefined: (found) => found !== undefined,
  toBeNaN: (found) => Number.isNaN(found),
  toBeInstanceOf: (found, kind) => found instanceof kind,
  toBeGreaterThan: (found, other) => found > other,
  toBeGreaterThanOrEqual: (found, other) => found >= other,
  toBeLessThan: (found, other) => found < other,
  toBeLessThanOrEqual: (found, other) => found <= other,
  toMatch: (found, wanted) =>
    typeof wanted === 'string' ? found.includes(wanted) : wanted.test(found),
};

const ASYMMETRIC = {
  any: (kind) => (found) => Object(found) instanceof kind,
  anything: () => (found) => found !== null && found !== undefined,
  objectContaining: (wanted) => (found) => like(found, wanted, true),
  arrayContaining: (wanted) => (found) => wanted.every((one) => contains(found, one, like)),
  stringContaining: (wanted) => (found) => String(found).includes(wanted),
  stringMatching: (wanted) => (found) => new RegExp(wanted).test(found),
  closeTo: (wanted, places) => (found) => close(found, wanted, places),
};

function expecting(sites) {
  const expect = (found) => {
    const site = sites.here();
    const to = (name, value, wanted, not) => {
      const held = sites.mayThrow(() => Boolean(MATCHERS[name](value, ...wanted)));
      if (held !== not) return;
      const given = wanted.map((one) => util.inspect(one, { depth: 4 })).join(', ');
      const got = util.inspect(value, { depth: 4 });
      throw new MatchError(`expected ${got} ${not ? 'not ' : ''}${name}(${given})`);
    };
    const matchers = (not) => {
      const made = {};
      for (const name of keys(MATCHERS)) {
        made[name] = (...wanted) => sites.count(site, () => to(name, found, wanted, not));
      }
      return made;
    };
    const later = (value, not) => {
      const made = {};
      for (const name of keys(MATCHERS)) {
        made[name] = (...wanted) =>
          sites.count(site, async () => to(name, await value(name), wanted, not));
      }
      return made;
    };
    const resolves = async () => found;
    const rejects = (name) => rejection(found, name);
    return {
      ...matchers(false),
      not: matchers(true),
      resolves: { ...later(resolves, false), not: later(resolves, true) },
      rejects: { ...later(rejects, false), not: later(rejects, true) },
    };
  };
  for (const name of keys(ASYMMETRIC)) {
    expect[name] = (...args) => ({ [MATCHES]: ASYMMETRIC[name](...args) });
  }
  return expect;
}

// Returns what a promise, or what a function returns, is rejected with; as a function for toThrow.
async function rejection(found, name) {
  let error;
  try {
    await (typeof found === 'function' ? found() : found);
  } catch (thrown) {
    error = [thrown];
  }
  if (error === undefined) throw new MatchError('expected a promise to be rejected');
  if (!name.startsWith('toThrow')) return error[0];
  return () => {
    throw error[0];
  };
}
