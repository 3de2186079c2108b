import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { parseReference } from '#lib/model/reference.ts';
import { pushable } from '#tests/support/registry/pushable.ts';
import type { Registry } from './port.ts';
import { Registries } from './registries.ts';

const named = (name: string): Registry => ({
  resolve: () => Promise.reject(new ApiError('model_not_found', name)),
  push: () => Promise.reject(new ApiError('unauthorized', name)),
});

describe('Registries', () => {
  it.each([
    ['hf.co/org/repo', 'huggingFace'],
    ['huggingface.co/org/repo:Q8_0', 'huggingFace'],
    ['ai/smollm2', 'oci'],
    ['localhost:5000/huggingface.co/repo', 'oci'],
  ])('asks for %s at %s, and pushes it there', async (input, expected) => {
    const registries = new Registries({ oci: named('oci'), huggingFace: named('huggingFace') });
    await expect(registries.resolve(parseReference(input), {})).rejects.toThrow(expected);
    await expect(registries.push(parseReference(input), await pushable([]), {})).rejects.toThrow(expected);
  });
});
