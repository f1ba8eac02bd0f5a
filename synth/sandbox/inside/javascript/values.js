// Values as JSON that says their exact type (values.py has the other half). The text is put together
// here: no `toJSON` and no changed prototype has a say in it.

const DEEPEST = 60;

// What stands for values that only JavaScript tells apart. Python gets what is nearest; the other
// half of a split check gets them as they are (exact.js).
const FOR_PYTHON = {
  nothing: 'null',
  number(value) {
    if (is(value, -0)) return '0';
    return isInteger(value) ? `["i","${digits(BigInt(value), 16)}"]` : stringify(value);
  },
  exact: () => undefined,
  rare: opaque,
  map: 'd',
  isKey: (value) => value === null || (typeof value !== 'object' && typeof value !== 'function'),
};

function opaque(value) {
  return `["?",${stringify(kindOf(value))}]`;
}

function kindOf(value) {
  if (typeof value !== 'object') return typeof value;
  try {
    return slice(String(getPrototypeOf(value).constructor.name), 0, 80);
  } catch {
    return 'object';
  }
}

function encode(value, how, depth = 0) {
  switch (typeof value) {
    case 'undefined':
      return how.nothing;
    case 'boolean':
      return value ? 'true' : 'false';
    case 'string':
      return stringify(value);
    case 'number':
      return encodeNumber(value, how);
    case 'bigint':
      return `["i","${digits(value, 16)}"]`;
    case 'object':
      return value === null ? 'null' : encodeObject(value, how, depth);
    default:
      return how.rare(value);
  }
}

function encodeNumber(value, how) {
  if (value !== value) return '["f","nan"]';
  if (!isFinite(value)) return value > 0 ? '["f","inf"]' : '["f","-inf"]';
  const exact = value > -(2 ** 53) && value < 2 ** 53 && !is(value, -0);
  return exact ? stringify(value) : how.number(value);
}

function encodeObject(value, how, depth) {
  if (depth > DEEPEST) return opaque(value);
  const exact = how.exact(value, how, depth);
  if (exact !== undefined) return exact;
  if (isArray(value)) return encodeItems(value, how, depth);
  if (types.isUint8Array(value)) return `["b","${inHex(fromText(value), 'hex')}"]`;
  if (types.isTypedArray(value)) return encodeItems(value, how, depth);
  if (types.isSet(value)) return encodeSet(value, how, depth);
  if (types.isMap(value)) return encodeMap(value, how, depth);
  const prototype = getPrototypeOf(value);
  const plain = prototype === null || prototype === Object.prototype;
  return plain ? encodePairs(value, how, depth) : how.rare(value);
}

function encodeItems(value, how, depth) {
  let text = '["l"';
  for (let at = 0; at < value.length; at += 1) text += `,${encode(value[at], how, depth + 1)}`;
  return `${text}]`;
}

function encodePairs(value, how, depth) {
  let text = '["d"';
  const names = keys(value);
  for (let at = 0; at < names.length; at += 1) {
    text += `,[${stringify(names[at])},${encode(value[names[at]], how, depth + 1)}]`;
  }
  return `${text}]`;
}

function encodeSet(value, how, depth) {
  let [text, plain] = ['["s"', true];
  eachOfSet(value, (item) => {
    plain = plain && how.isKey(item);
    text += `,${encode(item, how, depth + 1)}`;
  });
  return plain ? `${text}]` : how.rare(value);
}

function encodeMap(value, how, depth) {
  let [text, plain] = [`["${how.map}"`, true];
  eachOfMap(value, (item, key) => {
    plain = plain && how.isKey(key);
    text += `,[${encode(key, how, depth + 1)},${encode(item, how, depth + 1)}]`;
  });
  return plain ? `${text}]` : how.rare(value);
}

// Returns the value; `other` makes something of a tag that Python does not write.
function decode(tagged, other = unknownTag) {
  if (!isArray(tagged)) return tagged;
  const read = READ[tagged[0]];
  return read === undefined ? other(tagged) : read(tagged, other);
}

function unknownTag(tagged) {
  throw new TypeError(`no value of JavaScript for the tag ${stringify(tagged[0])}`);
}

const NUMBERS = { __proto__: null, nan: NaN, inf: Infinity, '-inf': -Infinity };
const READ = {
  __proto__: null,
  i: ([, hex]) => asInteger(hex),
  f: ([, text]) => NUMBERS[text] ?? Number(text),
  b: ([, hex]) => fromText(hex, 'hex'),
  B: ([, hex]) => fromText(hex, 'hex'),
  l: decodeItems,
  t: decodeItems,
  q: decodeItems,
  s: (tagged, other) => new Set(decodeItems(tagged, other)),
  z: (tagged, other) => new Set(decodeItems(tagged, other)),
  d: decodePairs,
};

function asInteger(hex) {
  const negative = hex[0] === '-';
  const found = slice(hex, negative ? 1 : 0);
  const value = BigInt(found[1] === 'x' ? found : `0x${found}`);
  return negative ? -value : value;
}

function decodeItems(tagged, other) {
  const items = [];
  for (let at = 1; at < tagged.length; at += 1) items[at - 1] = decode(tagged[at], other);
  return items;
}

// A dict with text keys is a plain object, any other a Map.
function decodePairs(tagged, other) {
  const pairs = [];
  for (let at = 1; at < tagged.length; at += 1) {
    pairs[at - 1] = [decode(tagged[at][0], other), decode(tagged[at][1], other)];
  }
  if (pairs.some(([key]) => typeof key !== 'string')) return new Map(pairs);
  const made = {};
  for (const [key, value] of pairs) put(made, key, value);
  return made;
}

// Assigns a property, `__proto__` like any other.
function put(object, name, value) {
  defineProperty(object, name, { value, writable: true, enumerable: true, configurable: true });
}
