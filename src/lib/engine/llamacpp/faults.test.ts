import { WllamaAbortError, WllamaError } from '@wllama/wllama';
import { describe, expect, it } from 'vitest';
import { isFatal, isNativeException, loadFault, NativeException, requestFault } from './faults.ts';

const native = new RangeError('Invalid typed array length: 1163217991');
const inference = (message: string) => new WllamaError(message, 'inference_error');

describe('requestFault', () => {
  it.each([
    [inference('request (9 tokens) exceeds the available context size (4 tokens), try'), 'messages'],
    [inference('input (9 tokens) is too large to process. increase … (current batch size: 4)'), 'input'],
    [inference('Context size has been exceeded.'), 'prompt'],
  ] as const)('calls a text that is too long by its name: %s', (thrown, input) => {
    expect(requestFault(thrown, { input }, undefined)).toMatchObject({
      code: 'context_length_exceeded',
      param: input,
    });
  });

  it.each([
    ['response_format', native, 'Automatic parser generation failed: JSON schema error at #: …'],
    ['tools', native, 'Automatic parser generation failed: JSON schema error at #: …'],
    ['grammar', inference('Failed to initialize samplers: failed to parse grammar'), undefined],
    ['response_format', inference('Failed to initialize samplers: failed to parse grammar'), undefined],
  ] as const)('blames %s where it is at fault', (form, thrown, line) => {
    expect(requestFault(thrown, { input: 'messages', form }, line)).toMatchObject({
      code: 'invalid_request',
      param: form,
    });
  });

  it('takes the reason from the exception, where that has one', () => {
    const thrown = new NativeException('Automatic parser generation failed: JSON schema error at #: …');
    const asked = { input: 'messages', form: 'tools' } as const;
    expect(requestFault(thrown, asked, 'Value is not callable')).toMatchObject({ param: 'tools' });
    expect([isNativeException(thrown), isFatal(thrown)]).toEqual([true, false]);
  });

  it('blames the messages for the rest, though the request had a form', () => {
    const asked = { input: 'messages', form: 'tools' } as const;
    expect(requestFault(native, asked, 'Value is not callable')).toMatchObject({
      code: 'invalid_request',
      param: 'messages',
    });
  });

  it.each([
    [new WllamaError('The model was unloaded', 'model_not_loaded')],
    [new Error('(ABORT) out of memory')],
    ['wllama has crashed, please reload the module'],
  ])('says that the engine is gone: %s', (thrown) => {
    expect(isFatal(thrown)).toBe(true);
    expect(requestFault(thrown, { input: 'messages' }, undefined)).toMatchObject({ code: 'device_lost' });
  });

  it('leaves an abort an abort', () => {
    expect(isFatal(new WllamaAbortError())).toBe(false);
    expect(requestFault(new WllamaAbortError(), { input: 'messages' }, undefined).name).toBe('AbortError');
  });
});

describe('loadFault', () => {
  it.each([
    [
      'insufficient_memory',
      ['alloc_tensor_range: failed to allocate CPU buffer of size 9', 'failed to load model'],
    ],
    ['unsupported_model_format', ["error loading model: unknown model architecture: 'banana'"]],
    ['unsupported_model_format', ["tensor 'a' data is not within the file bounds"]],
    ['unsupported_model_format', ['mtmd_init_from_file: error: mismatch between text model and mmproj']],
    ['unsupported_model_format', []],
  ])('%s: %s', (code, lines) => {
    expect(loadFault(lines)).toMatchObject({ code });
  });
});
