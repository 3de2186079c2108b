import { describe, expect, it } from 'vitest';
import type { ComputeJson } from '#lib/model/wire.ts';
import { scopeWords, usageWords } from './origin-words.ts';
import {
  buildChoices,
  buildHint,
  computeChoices,
  computeWords,
  contextChoices,
  everythingWords,
  idleChoiceOf,
  idleChoicesFor,
  lackWords,
  limitText,
  readLimit,
} from './setting-words.ts';

const compute: ComputeJson = {
  rung: 'wasm-threads',
  reason: 'this browser has no WebGPU',
  pinned: false,
  rungs: [
    { rung: 'webgpu-f16', available: false, reason: 'there is no GPU' },
    { rung: 'webgpu', available: false },
    { rung: 'wasm-threads', available: true },
    { rung: 'wasm', available: true },
  ],
  wasm_build: 'relaxed SIMD',
  wasm_builds: [
    { build: 'relaxed', available: true },
    { build: 'simd', available: true },
    { build: 'package', available: true },
  ],
};

describe('context sizes', () => {
  it('keep one that another program set, in its place', () => {
    const values = contextChoices(5000).map(({ value }) => value);
    expect(values.slice(0, 4)).toEqual(['', '2048', '4096', '5000']);
    expect(contextChoices(4096)).toEqual(contextChoices(null));
  });
});

describe('idle times', () => {
  it.each([
    ['5m', '5m'],
    ['5m0s', '5m'],
    ['300s', '5m'],
    ['0s', '0'],
    ['-1', '-1'],
    ['-5m', '-1'],
    ['1h0m0s', '1h'],
  ])('know %s as %s', (written, value) => expect(idleChoiceOf(written)).toBe(value));

  it('offer one that is none of ours', () => {
    expect(idleChoicesFor('7m0s').at(-1)).toEqual({ value: '7m0s', label: 'After 7m0s' });
    expect(idleChoicesFor('5m0s')).toHaveLength(7);
  });
});

describe('the ladder', () => {
  it('offers what this machine has, and names what it lacks and why', () => {
    const disabled = computeChoices(compute).filter((choice) => choice.disabled);
    expect(disabled.map(({ value }) => value)).toEqual(['webgpu-f16', 'webgpu']);
    expect(lackWords(compute)[0]).toBe('GPU, 16-bit: there is no GPU.');
    expect(lackWords(compute)[1]).toMatch(/does not offer it\.$/);
    expect(computeWords(compute)).toContain('CPU, several threads, because this browser has no WebGPU.');
  });

  it('name the builds of llama.cpp for the CPU, and why one is lacking', () => {
    const lacking: ComputeJson = {
      ...compute,
      wasm_build: 'SIMD',
      wasm_builds: [
        { build: 'relaxed', available: false, reason: 'the browser has no relaxed SIMD' },
        { build: 'simd', available: true },
        { build: 'package', available: true },
      ],
    };
    expect(buildChoices(lacking).map(({ value, disabled }) => [value, disabled])).toEqual([
      ['auto', false],
      ['relaxed', true],
      ['simd', false],
      ['package', false],
    ]);
    expect(buildHint(lacking)).toMatch(
      /New loads use: SIMD\. Sampan’s, relaxed SIMD: the browser has no relaxed SIMD\.$/,
    );
    expect(buildHint(compute)).toMatch(/New loads use: relaxed SIMD\.$/);
  });
});

describe('the memory limit', () => {
  it.each([
    ['', null],
    ['  ', null],
    ['6', 6e9],
    ['2.5', 2.5e9],
    ['2,5', 2.5e9],
  ])('reads “%s”', (text, bytes) => expect(readLimit(text)).toEqual({ status: 'right', bytes }));

  it.each(['0', '-1', 'six', '1e3', '6 GB', '99999', '1.2345', '0x10', 'Infinity'])(
    'refuses “%s”',
    (text) => {
      expect(readLimit(text).status).toBe('wrong');
    },
  );

  it('shows what was kept as it was typed', () => {
    expect(limitText(2.5e9)).toBe('2.5');
    expect(limitText(null)).toBe('');
  });
});

describe('words', () => {
  it('count what there is', () => {
    const counts = { models: 1, conversations: 0, requests: 1280, usedBytes: 3.8e9 };
    expect(everythingWords(counts)).toBe('1 model, 0 conversations, 1,280 requests. 3.80 GB.');
  });

  it('tell what a site may use, and when it last did', () => {
    expect(scopeWords('all')).toBe('All models');
    expect(scopeWords(['ai/a'])).toBe('1 model');
    expect(usageWords({ requests: 0 }, 0)).toBe('Not used yet');
    expect(usageWords({ requests: 61, last_used_ms: 1000 }, 2000)).toBe('now · 61 requests');
  });
});
