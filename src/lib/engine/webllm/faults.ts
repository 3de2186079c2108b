/** WebLLM's failures as our codes, by the names of its error classes. */
import { ApiError } from '#lib/core/errors.ts';

/** What a request can be refused for; the model is unharmed. */
const refusals: ReadonlySet<string> = new Set([
  'ContentTypeError',
  'DependencyError',
  'GrammarMatcherInitError',
  'InvalidNumberStringError',
  'InvalidResponseFormatError',
  'InvalidResponseFormatGrammarError',
  'InvalidResponseFormatStructuralTagError',
  'MessageOrderError',
  'MinValueError',
  'NonNegativeError',
  'SeedTypeError',
  'SystemMessageOrderError',
  'UnsupportedFieldsError',
  'UnsupportedRoleError',
]);

const gpuLacks: ReadonlySet<string> = new Set([
  'FeatureSupportError',
  'ShaderF16SupportError',
  'WebGPUNotAvailableError',
]);

/** A failed request. `device_lost` says that the model is gone with it. */
export function requestFault(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (nameOf(thrown) === 'ContextWindowSizeExceededError') return contextExceeded({ cause: thrown });
  if (refusals.has(nameOf(thrown))) {
    return new ApiError(
      'invalid_request',
      'WebLLM refused this request. Check the message roles and the sampling parameters.',
      { cause: thrown },
    );
  }
  return lostFault(thrown);
}

export function contextExceeded(
  facts: { readonly promptTokens: number; readonly contextSize: number } | { readonly cause: unknown },
): ApiError {
  const advice = 'Shorten them or start a new conversation.';
  if ('cause' in facts) {
    const message = `The messages have more tokens than the context holds. ${advice}`;
    return new ApiError('context_length_exceeded', message, { param: 'messages', cause: facts.cause });
  }
  return new ApiError(
    'context_length_exceeded',
    `The messages have ${facts.promptTokens} tokens and the context holds ${facts.contextSize}. ${advice}`,
    { param: 'messages' },
  );
}

/** The GPU device or the worker is gone. */
export function lostFault(cause?: unknown): ApiError {
  return new ApiError(
    'device_lost',
    'The GPU stopped working for this model, most likely because memory ran out. Try again; with a smaller context or model if it happens twice.',
    { cause },
  );
}

export function loadFault(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown.code === 'device_lost' ? noMemory(thrown) : thrown;
  if (nameOf(thrown) === 'DeviceLostError') return noMemory(thrown);
  if (gpuLacks.has(nameOf(thrown))) {
    return new ApiError(
      'engine_unavailable',
      'This GPU or its driver lacks a feature that the model needs. Choose another variant of it.',
      { cause: thrown },
    );
  }
  return new ApiError('unsupported_model_format', refusal(thrown), { cause: thrown });
}

function refusal(thrown: unknown): string {
  if (thrown instanceof WebAssembly.CompileError)
    return 'The model’s compiled library (its .wasm file) is damaged. Delete the model and pull it again.';
  if (thrown instanceof WebAssembly.LinkError)
    return 'The model’s compiled library (its .wasm file) was built for another version of WebLLM. Choose a model or library for this one.';
  return 'WebLLM could not load this model: a file of it is damaged, or it was built for another version. Delete it and pull it again, or choose another model.';
}

function noMemory(cause: unknown): ApiError {
  return new ApiError(
    'insufficient_memory',
    'The GPU stopped while the model was loading, most likely because there is not enough memory for it. Choose a smaller variant or a smaller context.',
    { cause },
  );
}

function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : '';
}
