/** A field that nobody reads is named to whoever sent it. Those of inference are in `generation.test.ts`. */
import { expect, it } from 'vitest';
import { bytesOf, makeBench } from '#tests/support/runner-bench.ts';

const name = 'localhost:5000/ai/tiny:latest';

async function benchWithModel() {
  const bench = makeBench();
  await bench.registry.publish(name, [bytesOf('GGUF')]);
  await (await bench.call('/models/create', { from: name })).text();
  return bench;
}

it.each([
  ['/models/create', { from: name }],
  [`/models/${name}/repackage`, { target: 'localhost:5000/ai/other:v1', context_size: 32 }],
])('%s names what it does not read', async (path, body) => {
  const bench = await benchWithModel();
  const odd = await bench.call(path, { ...body, colour: 'red', 'ignore-runtime-memory-check': true });
  expect(odd.ok).toBe(true);
  expect(odd.headers.get('warning')).toBe('299 sampan "ignored: colour, ignore-runtime-memory-check"');
  await odd.text();
  const plain = await bench.call(path, body);
  expect(plain.headers.has('warning')).toBe(false);
  await plain.text();
});
