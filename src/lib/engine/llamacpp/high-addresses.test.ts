import { readFile } from 'node:fs/promises';
import { createContext, runInContext } from 'node:vm';
import { expect, it } from 'vitest';
import { withHighAddresses } from './high-addresses.ts';

const low = 4096;
const high = 2 ** 31 + 4096;
/** As WebAssembly gives them. */
const signed = (address: number) => address | 0;

/** What a build's script looks like to the package: a `Module` with `cwrap`, and a function that reads files. */
const script = `
var Module = globalThis.Module;
function __asyncjs__js_file_read(path_ptr, offset, req_size, out_ptr) {
  return read(Number(offset), Number(out_ptr));
}
Module["cwrap"] = (name) => (result) => name === 'later' ? Promise.resolve(result) : result;
`;

function run(read: (offset: number, to: number) => void) {
  const context = createContext({ Module: {}, Promise, read });
  runInContext(withHighAddresses(script), context);
  return (code: string): unknown => runInContext(code, context);
}

it.each([
  ['low', low, low],
  ['high', signed(high), high],
  ['the last', -1, 2 ** 32 - 1],
])('turns %s addresses that a function gives', async (_, given, wanted) => {
  const evaluate = run(() => undefined);
  expect(evaluate(`Module.cwrap('now')(${given})`)).toBe(wanted);
  expect(await evaluate(`Module.cwrap('later')(${given})`)).toBe(wanted);
});

it('leaves what is no 32-bit address', () => {
  const evaluate = run(() => undefined);
  expect(evaluate(`Module.cwrap('now')('text')`)).toBe('text');
  expect(evaluate(`Module.cwrap('now')(-5n)`)).toBe(-5n);
});

it('turns the address that a file is read to', () => {
  const reads: number[][] = [];
  const evaluate = run((offset, to) => reads.push([offset, to]));
  evaluate(`__asyncjs__js_file_read(1, -7, 3, ${signed(high)})`);
  expect(reads).toEqual([[-7, high]]);
});

it.each([
  ['node_modules/@wllama/wllama-compat/wasm/wllama.js', 1],
  ['static/engine/wllama-relaxed.js', 0],
  ['static/engine/wllama-simd.js', 0],
])('finds its places in %s', async (path, reads) => {
  const text = await readFile(path, 'utf8');
  expect(text.split('Number(out_ptr)')).toHaveLength(reads + 1);
  expect(text).toMatch(/Module\["cwrap"\]\s*=\s*cwrap/);
});
