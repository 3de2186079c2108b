import { expect, it } from 'vitest';
import { digestOf } from '#lib/state/testing/wire-samples.ts';
import { storageParts } from './storage-parts.ts';
import { localSample } from './testing/model-samples.ts';

const model = (n: number, sizeBytes: number, sharedBytes?: number) =>
  localSample({
    id: digestOf(n),
    title: `Model ${n}`,
    sizeBytes,
    ...(sharedBytes !== undefined && { sharedBytes }),
  });

const labels = (parts: ReturnType<typeof storageParts>) => parts.map(({ label, bytes }) => [label, bytes]);

it('names the largest three, and sums up the others, the pulls and the rest', () => {
  const models = [model(1, 10), model(2, 40), model(3, 30), model(4, 20), model(5, 10)];
  expect(labels(storageParts({ models, pullBytes: 20, usedBytes: 150 }))).toEqual([
    ['Model 2', 40],
    ['Model 3', 30],
    ['Model 4', 20],
    ['2 more', 20],
    ['Pulls', 20],
    ['Other', 20],
  ]);
});

it('counts shared bytes once', () => {
  const models = [model(1, 100, 90), model(2, 95, 90)];
  expect(labels(storageParts({ models, pullBytes: 0, usedBytes: 105 }))).toEqual([
    ['Model 1', 10],
    ['Model 2', 5],
    ['Shared and other', 90],
  ]);
});

it('makes no part of a rounding', () => {
  expect(labels(storageParts({ models: [model(1, 1000)], pullBytes: 0, usedBytes: 1005 }))).toEqual([
    ['Model 1', 1000],
  ]);
});
