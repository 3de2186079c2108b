import { describe, expect, it } from 'vitest';
import { comparable, layerName, shortReference, titleOf } from './names.ts';

describe('comparable', () => {
  it.each([
    ['smollm2', 'docker.io/ai/smollm2:latest'],
    ['ai/smollm2:360M-Q4_K_M', 'docker.io/ai/smollm2:360M-Q4_K_M'],
    ['hf.co/Qwen/Qwen2.5-0.5B-Instruct-GGUF:Q4_K_M', 'huggingface.co/qwen/qwen2.5-0.5b-instruct-gguf:Q4_K_M'],
    ['localhost:12434/sampan/tiny', 'localhost:12434/sampan/tiny:latest'],
  ])('takes %s and %s for one model', (typed, canonical) => {
    expect(comparable(typed)).toBe(comparable(canonical));
  });

  it('tells two tags of one repository apart', () => {
    expect(comparable('ai/smollm2:135M-Q4_K_M')).not.toBe(comparable('ai/smollm2:360M-Q4_K_M'));
  });
});

it('shortens a canonical reference to what a person would type', () => {
  expect(shortReference('docker.io/ai/smollm2:360M-Q4_K_M')).toBe('ai/smollm2:360M-Q4_K_M');
  expect(shortReference('huggingface.co/org/repo:Q8_0')).toBe('hf.co/org/repo:Q8_0');
});

it('keeps what is no reference as it is', () => {
  expect(shortReference('no reference at all')).toBe('no reference at all');
});

it('makes a title from the name and the size in the tag', () => {
  expect(titleOf('docker.io/ai/smollm2:360M-Q4_K_M')).toBe('smollm2 360M');
  expect(titleOf('huggingface.co/unsloth/qwen3-1.7b-gguf:Q4_K_M')).toBe('qwen3-1.7b');
  expect(titleOf('localhost:5000/team/bot:latest')).toBe('bot');
});

it('names the layers of a model', () => {
  expect(layerName('application/vnd.docker.ai.gguf.v3')).toBe('Weights');
  expect(layerName('application/vnd.docker.ai.license')).toBe('Licence');
  expect(layerName('application/octet-stream')).toBe('File');
});
