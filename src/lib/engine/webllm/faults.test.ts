import { describe, expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { cannot, loadFault, lostFault, requestFault } from './faults.ts';

function named(name: string): Error {
  return Object.assign(new Error('text that nothing may match on'), { name });
}

describe('WebLLM’s failures', () => {
  it.each([
    ['ContextWindowSizeExceededError', 'context_length_exceeded'],
    ['MinValueError', 'invalid_request'],
    ['GrammarMatcherInitError', 'invalid_request'],
    ['RuntimeError', 'device_lost'],
    ['ModelNotLoadedError', 'device_lost'],
    ['AbortError', 'aborted'],
  ])('%s in a request is %s', (name, code) => {
    expect(requestFault(named(name))).toMatchObject({ code });
  });

  it('an abort that nobody wanted is the loss of the device', () => {
    const [running, left] = [new AbortController(), new AbortController()];
    left.abort();
    expect(requestFault(named('AbortError'), 512, running.signal)).toMatchObject({ code: 'device_lost' });
    expect(requestFault(named('AbortError'), 512, left.signal)).toMatchObject({ code: 'aborted' });
  });

  it.each([
    [named('DeviceLostError'), 'insufficient_memory'],
    [lostFault(), 'insufficient_memory'],
    [named('ShaderF16SupportError'), 'engine_unavailable'],
    [named('WebGPUNotAvailableError'), 'engine_unavailable'],
    [new WebAssembly.CompileError('x'), 'unsupported_model_format'],
    [new WebAssembly.LinkError('x'), 'unsupported_model_format'],
    ['a string', 'unsupported_model_format'],
  ])('%s in a load is %s', (thrown, code) => {
    expect(loadFault(thrown)).toMatchObject({ code });
  });

  it('tell a damaged library from one of another version', () => {
    expect(loadFault(new WebAssembly.CompileError('x')).message).toContain('damaged');
    expect(loadFault(new WebAssembly.LinkError('x')).message).toContain('another version');
  });

  it.each([
    [8192, '4096 tokens instead of 8192'],
    [1500, '1024 tokens instead of 1500'],
    [1024, 'fewer bits'],
    [undefined, 'smaller context'],
  ])('say what would fit instead of a context of %s', (contextSize, advice) => {
    expect(lostFault(undefined, contextSize)).toMatchObject({
      code: 'device_lost',
      message: expect.stringContaining(advice),
    });
  });

  it('say what can never be done, and what to do instead', () => {
    for (const what of ['chat', 'embed', 'rerank'] as const)
      expect(cannot(what)).toMatchObject({ status: 501, message: expect.stringContaining('Choose') });
  });

  it('keep their code when they have one', () => {
    const error = new ApiError('loading_timeout', 'Too slow.');
    expect(loadFault(error)).toBe(error);
    expect(requestFault(error)).toBe(error);
  });
});
