/** wllama's failures as our codes. It gives several of them only as text, so this is the one place that reads text. */
import { WllamaAbortError, WllamaError } from '@wllama/wllama';
import { ApiError, type ErrorCode } from '#lib/core/errors.ts';

/** What of a request can be at fault. */
export interface Asked {
  /** The field that holds what the model reads. */
  readonly input: 'messages' | 'prompt' | 'input' | 'documents';
  /** The field that holds the form of the answer, if it has one. */
  readonly form?: 'response_format' | 'grammar' | 'tools' | undefined;
}

/** A C++ exception that was the answer to its call; the message is the engine's. */
export class NativeException extends Error {}

/** What the text of a C++ exception becomes in the package's builds: the reply's magic word read as a length. */
const nativeException = 'Invalid typed array length: 1163217991';

export function isNativeException(thrown: unknown): boolean {
  return thrown instanceof NativeException || (thrown instanceof Error && thrown.message === nativeException);
}

/** Whether the model is gone after this failure; a refused request leaves it usable. */
export function isFatal(thrown: unknown): boolean {
  if (thrown instanceof WllamaAbortError || thrown instanceof ApiError) return false;
  if (thrown instanceof WllamaError) return thrown.type === 'model_not_loaded';
  return !isNativeException(thrown);
}

/** A failed request as an `ApiError`, or the abort it was. `nativeLine` is what the engine said last, for exceptions that do not say it. */
export function requestFault(thrown: unknown, asked: Asked, nativeLine: string | undefined): Error {
  if (thrown instanceof ApiError) return thrown;
  if (thrown instanceof WllamaAbortError) return new DOMException('The request was cancelled.', 'AbortError');
  if (thrown instanceof NativeException) return refusal(asked, thrown.message, thrown);
  if (isNativeException(thrown)) return refusal(asked, nativeLine ?? '', thrown);
  if (thrown instanceof WllamaError && thrown.type !== 'model_not_loaded')
    return inferenceFault(thrown, asked);
  return lostFault(thrown);
}

/** The engine died: out of memory, a failed assertion or a GPU error. */
export function lostFault(cause?: unknown): ApiError {
  return new ApiError(
    'device_lost',
    'The engine stopped, most likely because memory ran out. Try again; with a smaller context or model if it happens twice.',
    { cause },
  );
}

interface LoadFault {
  readonly sign: RegExp;
  readonly code: ErrorCode;
  readonly message: string;
}

/** The first that matches what the engine said. */
const loadFaults: readonly LoadFault[] = [
  {
    sign: /chat.?template|jinja/i,
    code: 'unsupported_model_format',
    message:
      'llama.cpp cannot use this model’s chat template. Package the model with another template, or choose another model.',
  },
  {
    sign: /unknown (model )?architecture/i,
    code: 'unsupported_model_format',
    message:
      'This version of llama.cpp does not know the architecture of this model. Choose another model, or update Sampan.',
  },
  {
    sign: /lora|adapter/i,
    code: 'unsupported_model_format',
    message:
      'A LoRA adapter of this model does not fit it or is damaged. Package the model with an adapter that was made for it.',
  },
  {
    sign: /mmproj|mtmd|projector/i,
    code: 'unsupported_model_format',
    message:
      'The image projector of this model does not fit it, or is of a kind that llama.cpp does not know. Package the model with its own, or without one.',
  },
  {
    sign: /alloc|out of memory|memory/i,
    code: 'insufficient_memory',
    message: 'There is not enough memory to load this model. Choose a smaller variant or a smaller context.',
  },
];

const damaged =
  'llama.cpp could not load this model: its file is damaged or incomplete. Delete it and pull it again, or choose another model.';

/** `nativeLines` are the engine's errors during the load, in their order. */
export function loadFault(nativeLines: readonly string[], cause?: unknown): ApiError {
  const said = [...nativeLines, cause instanceof Error ? cause.message : ''].join('\n');
  const fault = loadFaults.find(({ sign }) => sign.test(said));
  return new ApiError(fault?.code ?? 'unsupported_model_format', fault?.message ?? damaged, { cause });
}

export function notGguf(): ApiError {
  return new ApiError(
    'unsupported_model_format',
    'llama.cpp runs GGUF models only. Choose the model’s GGUF variant, or the WebLLM engine.',
  );
}

function refusal({ input, form }: Asked, nativeLine: string, cause: unknown): ApiError {
  if (form !== undefined && /schema|grammar/i.test(nativeLine)) return formFault(form, cause);
  return new ApiError(
    'invalid_request',
    'The engine refused this request: the model’s chat template or a parameter does not accept it. Check the order of the roles and the parameters.',
    { param: input, cause },
  );
}

function formFault(form: NonNullable<Asked['form']>, cause: unknown): ApiError {
  const what =
    form === 'grammar' ? 'This grammar is not valid GBNF' : 'llama.cpp cannot hold an answer to this schema';
  return new ApiError('invalid_request', `${what}. Correct it, or make it simpler.`, { param: form, cause });
}

function inferenceFault(error: WllamaError, asked: Asked): ApiError {
  const { message } = error;
  const long =
    /request \((\d+) tokens\) exceeds the available context size \((\d+) tokens\)/.exec(message) ??
    /input \((\d+) tokens\) is too large to process.*batch size: (\d+)/.exec(message);
  if (long) return tooLong(asked, `has ${long[1]} tokens and the context holds ${long[2]}`, error);
  if (/context size/i.test(message)) return tooLong(asked, 'and its answer fill the context', error);
  if (/failed to load image or audio/i.test(message)) {
    return new ApiError('invalid_request', 'An image or sound is damaged or empty. Save it again.', {
      param: asked.input,
      cause: error,
    });
  }
  if (/grammar|sampler/i.test(message)) return formFault(asked.form ?? 'grammar', error);
  return new ApiError(
    'invalid_request',
    `The engine could not process this request. Check “${asked.input}”.`,
    {
      param: asked.input,
      cause: error,
    },
  );
}

function tooLong({ input }: Asked, how: string, cause: unknown): ApiError {
  return new ApiError(
    'context_length_exceeded',
    `“${input}” ${how}. Shorten it, or load the model with a larger context.`,
    { param: input, cause },
  );
}
