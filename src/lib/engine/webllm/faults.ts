/** WebLLM's failures as our codes, by the names of its error classes. */
import { ApiError, toApiError } from '#lib/core/errors.ts';

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

/**
 * A failed request. `device_lost` says that the model is gone with it. WebGPU too calls it an abort when the device goes
 * in the middle of a read, so the request's own signal says whether anybody wanted it.
 */
export function requestFault(thrown: unknown, contextSize?: number, signal?: AbortSignal): ApiError {
  if (thrown instanceof ApiError) return thrown;
  if (nameOf(thrown) === 'AbortError' && signal?.aborted !== false) return toApiError(thrown);
  if (nameOf(thrown) === 'ContextWindowSizeExceededError') return contextExceeded({ cause: thrown });
  if (refusals.has(nameOf(thrown))) {
    return new ApiError(
      'invalid_request',
      'WebLLM refused this request. Check the message roles and the sampling parameters.',
      { cause: thrown },
    );
  }
  return lostFault(thrown, contextSize);
}

export interface PromptLength {
  readonly promptTokens: number;
  readonly contextSize: number;
  readonly field: 'messages' | 'prompt';
}

export function contextExceeded(facts: PromptLength | { readonly cause: unknown }): ApiError {
  const advice = 'Shorten them or start a new conversation.';
  if ('cause' in facts) {
    const message = `The messages have more tokens than the context holds. ${advice}`;
    return new ApiError('context_length_exceeded', message, { param: 'messages', cause: facts.cause });
  }
  const { promptTokens, contextSize, field } = facts;
  const message =
    field === 'messages'
      ? `The messages have ${promptTokens} tokens and the context holds ${contextSize}. ${advice}`
      : `The prompt has ${promptTokens} tokens and the context holds ${contextSize}. Shorten it.`;
  return new ApiError('context_length_exceeded', message, { param: field });
}

/** Of an embedding. */
export function inputExceeded(tokens: number, limit: number): ApiError {
  return new ApiError(
    'context_length_exceeded',
    `An input has ${tokens} tokens and this model reads ${limit}. Split it into shorter ones.`,
    { param: 'input' },
  );
}

/** The GPU device or the worker is gone. With the context it ran with, the message says what would fit. */
export function lostFault(cause?: unknown, contextSize?: number): ApiError {
  return new ApiError(
    'device_lost',
    `The GPU stopped working for this model, most likely because memory ran out. Try again; if it happens twice, ${whatFits(contextSize)}.`,
    { cause },
  );
}

/** The compiler of grammars dies of what it refuses: each refusal takes some of its stack and never gives it back. */
export function grammarLost(cause: unknown): ApiError {
  return new ApiError(
    'device_lost',
    'The part of WebLLM that holds answers to a form stopped working after several forms that it could not read. Try again: the model is loaded anew.',
    { cause },
  );
}

const smallContext = 1024;

/** Half a context is half the memory of its tokens; where it is small already, the weights are what fills the GPU. */
function whatFits(contextSize: number | undefined): string {
  if (contextSize === undefined) return 'choose a smaller context or model';
  if (contextSize <= smallContext) return 'choose a variant of the model with fewer bits or parameters';
  return `set the context to ${Math.max(smallContext, Math.floor(contextSize / 2))} tokens instead of ${contextSize}, or choose a smaller variant of the model`;
}

/** What an MLC model of this kind can never do. */
export function cannot(what: 'chat' | 'embed' | 'rerank'): ApiError {
  const messages = {
    chat: 'This model makes embeddings and no text. Choose a chat model, or ask it at /embeddings.',
    embed: 'WebLLM makes no embeddings with this model. Choose an MLC embedding model, or a GGUF one.',
    rerank: 'WebLLM cannot rank documents. Choose a GGUF reranker, which llama.cpp runs.',
  };
  return new ApiError('not_supported', messages[what], { param: 'model' });
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
