// The driver's door: the mode is the last argument.

const MODES = { __proto__: null, calls, program, target, tests, together };

async function main() {
  const run = MODES[process.argv.at(-1)];
  const payload = readFrame(PAYLOAD);
  becomeFileRunner();
  tell('{"ready":1}');
  const code = await run(payload);
  if (code !== null) exit(code);
}

main();
