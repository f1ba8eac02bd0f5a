// Values as they pass between the halves of a split check: as JavaScript tells them apart. What is no
// value, an object of a class or a function, stays where it is; the tests' functions are called back.

const NOTHING = '["u"]';
const TYPED_ARRAYS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array]
  .concat([Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array]);
const timeOf = uncurried(Date.prototype.getTime);

function exactly(rare) {
  return {
    nothing: NOTHING,
    number: (value) => (is(value, -0) ? '["f","-0"]' : `["f","${value}"]`),
    exact: encodeExact,
    rare,
    map: 'm',
    isKey: () => true,
  };
}

function encodeExact(value, how, depth) {
  const prototype = getPrototypeOf(value);
  if (types.isDate(value)) return `["at",${encode(timeOf(value), how)}]`;
  if (types.isRegExp(value)) return `["re",${stringify(value.source)},${stringify(value.flags)}]`;
  if (types.isTypedArray(value) && !Buffer.isBuffer(value)) {
    return `["ta",${stringify(kindOf(value))},${encodeItems(value, how, depth)}]`;
  }
  if (isArray(value) && prototype !== Array.prototype) return how.rare(value);
  return prototype === null ? `["o",${encodePairs(value, how, depth)}]` : undefined;
}

// Returns a reader of such values; `other` makes something of what is none.
function readingExactly(other) {
  const read = (tagged) => {
    switch (tagged[0]) {
      case 'u':
        return undefined;
      case 'm':
        return new Map(tagged.slice(1).map(([key, value]) => [decode(key, read), decode(value, read)]));
      case 'at':
        return new Date(decode(tagged[1], read));
      case 're':
        return new RegExp(tagged[1], tagged[2]);
      case 'ta':
        return TYPED_ARRAYS.find(({ name }) => name === tagged[1]).from(decode(tagged[2], read));
      case 'o':
        return Object.setPrototypeOf(decode(tagged[1], read), null);
      default:
        return other(tagged);
    }
  };
  return (tagged) => decode(tagged, read);
}
