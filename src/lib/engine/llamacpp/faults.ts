/** wllama's failures as our codes. It gives several of them only as text, so this is the one place that reads text. */
import { WllamaAbortError, WllamaError } from '@wllama/wllama';
import { ApiError } from '#lib/core/errors.ts';

/** What the text of a C++ exception becomes: the reply's magic word read as a length. */
const nativeException = 'Invalid typed array length: 1163217991';

/** Whether the model is gone after this failure; a refused request leaves it usable. */
export function isFatal(thrown: unknown): boolean {
  if (thrown instanceof WllamaAbortError || thrown instanceof WllamaError) return false;
  return !isNativeException(thrown);
}

/** A failed request as an `ApiError`, or the abort it was. */
export function requestFault(thrown: unknown): Error {
  if (thrown instanceof WllamaAbortError) return new DOMException('The request was cancelled.', 'AbortError');
  if (isNativeException(thrown)) {
    return new ApiError(
      'invalid_request',
      'The engine refused this request: a parameter or the model’s chat template does not accept it. Check the message roles and the sampling parameters.',
      { cause: thrown },
    );
  }
  if (thrown instanceof WllamaError && thrown.type === 'inference_error') return inferenceFault(thrown);
  return lostFault(thrown);
}

/** The engine died: out of memory, a failed assertion or a GPU error. */
export function lostFault(cause: unknown): ApiError {
  return new ApiError(
    'device_lost',
    'The engine stopped, most likely because memory ran out. Try again; with a smaller context or model if it happens twice.',
    { cause },
  );
}

export function loadFault(nativeLine: string | undefined, cause?: unknown): ApiError {
  if (nativeLine !== undefined && /alloc|out of memory|memory/i.test(nativeLine)) {
    return new ApiError(
      'insufficient_memory',
      'There is not enough memory to load this model. Choose a smaller variant or a smaller context.',
      { cause },
    );
  }
  return new ApiError(
    'unsupported_model_format',
    'llama.cpp could not load this model: its file is damaged or its architecture is not supported yet. Delete it and pull it again, or choose another model.',
    { cause },
  );
}

export function notGguf(): ApiError {
  return new ApiError(
    'unsupported_model_format',
    'llama.cpp runs GGUF models only. Choose the model’s GGUF variant, or the WebLLM engine.',
  );
}

function inferenceFault(error: WllamaError): ApiError {
  const counts = /request \((\d+) tokens\) exceeds the available context size \((\d+) tokens\)/.exec(
    error.message,
  );
  if (counts) {
    return new ApiError(
      'context_length_exceeded',
      `The messages have ${counts[1]} tokens and the context holds ${counts[2]}. Shorten them or start a new conversation.`,
      { param: 'messages', cause: error },
    );
  }
  return new ApiError('invalid_request', 'The engine could not process this request. Check its messages.', {
    cause: error,
  });
}

function isNativeException(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message === nativeException;
}
