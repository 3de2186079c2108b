import { expect, it } from 'vitest';
import { arrange } from './sorting.ts';
import { localSample } from './testing/model-samples.ts';

const models = [
  localSample({ title: 'B10', sizeBytes: 2, createdMs: 3 }),
  localSample({ title: 'B9', sizeBytes: 3, createdMs: 1, lastUsedMs: 9 }),
  localSample({ title: 'A', sizeBytes: 1, createdMs: 2, quantization: 'Q8_0' }),
];

it.each([
  ['used', ['B9', 'B10', 'A']],
  ['added', ['B10', 'A', 'B9']],
  ['size', ['B9', 'B10', 'A']],
  ['name', ['A', 'B9', 'B10']],
] as const)('sorts by %s', (key, titles) => {
  expect(arrange(models, '', key).map(({ title }) => title)).toEqual(titles);
});

it('finds by title, tag, digest and quantization', () => {
  expect(arrange(models, ' q8 ', 'name')).toHaveLength(1);
  expect(arrange(models, 'ai/smollm2', 'name')).toHaveLength(3);
  expect(arrange(models, 'nothing like it', 'name')).toEqual([]);
});
