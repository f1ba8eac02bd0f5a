// What the driver needs of the language, taken before any program can change it, and messages on a
// descriptor: four bytes of length, then JSON.

const { require, process, Buffer, Promise } = globalThis;
const fs = require('node:fs');
const Module = require('node:module');
const path = require('node:path');
const util = require('node:util');
const vm = require('node:vm');

const PAYLOAD = 3;
const RESULTS = 4;
const CHANNEL = 5;
const LARGEST = 64 * 1024 * 1024;

const { readSync, writeSync } = fs;
const { types } = util;
const uncurried = Function.prototype.bind.bind(Function.prototype.call);
const exit = process.reallyExit.bind(process);
const stringify = JSON.stringify;
const parse = JSON.parse;
const { isArray } = Array;
const { isInteger, isFinite } = Number;
const { keys, getPrototypeOf, defineProperty, is } = Object;
const hasOwn = uncurried(Object.prototype.hasOwnProperty);
const match = uncurried(RegExp.prototype.exec);
const slice = uncurried(String.prototype.slice);
const inHex = uncurried(Buffer.prototype.toString);
const digits = uncurried(BigInt.prototype.toString);
const eachOfMap = uncurried(Map.prototype.forEach);
const eachOfSet = uncurried(Set.prototype.forEach);
const settled = uncurried(Promise.prototype.then);
const fromText = Buffer.from;
const allocate = Buffer.alloc;
const sizeAt = uncurried(Buffer.prototype.readUInt32LE);
const putSize = uncurried(Buffer.prototype.writeUInt32LE);
const asText = uncurried(Buffer.prototype.utf8Slice);

function writeFrame(fd, json) {
  const body = fromText(json, 'utf8');
  const size = allocate(4);
  putSize(size, body.length, 0);
  writeAll(fd, size);
  writeAll(fd, body);
}

function writeAll(fd, bytes) {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done);
  }
}

// Returns the next message; null at the end.
function readFrame(fd) {
  const head = readExactly(fd, 4);
  if (head === null) return null;
  const size = sizeAt(head, 0);
  if (size > LARGEST) throw new RangeError(`a frame of ${size} bytes`);
  const body = readExactly(fd, size);
  return body === null ? null : parse(asText(body, 0, size));
}

function readExactly(fd, size) {
  const bytes = allocate(size);
  for (let done = 0; done < size; ) {
    const count = readSync(fd, bytes, done, size - done, null);
    if (count === 0) return null;
    done += count;
  }
  return bytes;
}
