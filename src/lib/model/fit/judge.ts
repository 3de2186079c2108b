/** Whether a model fits this machine, told before it is loaded: with the numbers, and with what would fit instead. */
import { formatBytes } from '#lib/core/format.ts';
import type { MemoryNeed } from './gguf-memory.ts';

export interface Machine {
  /** Where it would compute. */
  readonly device: 'gpu' | 'cpu';
  /** The largest buffer that the GPU's driver allows (`maxBufferSize`). */
  readonly adapterMaxBufferBytes?: number | undefined;
  /** WebGPU does not say how much memory there is: a person's word, or a guess by the adapter's name. */
  readonly adapterMemoryGuessBytes?: number | undefined;
  /** The most that a WebAssembly memory may grow to. */
  readonly wasmHeapBytes: number;
  /** Of the browser's store; leave it out for a model that is stored already. */
  readonly storageFreeBytes?: number | undefined;
}

export interface FitQuestion {
  readonly contextSize: number;
  /** What the model takes with a context of so many tokens; more tokens never take less. */
  readonly need: (contextSize: number) => MemoryNeed;
  /** The largest piece that must lie in one buffer of the GPU. */
  readonly largestBufferBytes?: number | undefined;
}

export interface Fit {
  readonly verdict: 'fits' | 'tight' | 'too-large';
  readonly needBytes: number;
  /** `undefined` where nothing is known of it. */
  readonly haveBytes: number | undefined;
  /** For people. */
  readonly sentence: string;
  readonly suggestion?: { readonly contextSize: number };
}

/** Beyond this share little else may happen on the machine. */
const easyShare = 0.85;
/** Of the engine itself: its code, the vocabulary, buffers for requests. An assumption, on the safe side. */
const engineBytes = 100e6;
const contextStep = 256;

export function judgeFit(question: FitQuestion, machine: Machine): Fit {
  const need = question.need(question.contextSize);
  return storageFit(need, machine) ?? bufferFit(question, machine) ?? memoryFit(question, need, machine);
}

function storageFit({ weightsBytes }: MemoryNeed, { storageFreeBytes }: Machine): Fit | undefined {
  if (storageFreeBytes === undefined || weightsBytes <= storageFreeBytes) return undefined;
  return {
    verdict: 'too-large',
    needBytes: weightsBytes,
    haveBytes: storageFreeBytes,
    sentence: `The model needs ${formatBytes(weightsBytes)} of storage and ${formatBytes(storageFreeBytes)} are free. Delete a model or free disk space.`,
  };
}

/** Weights are spread over buffers, but no tensor is. */
function bufferFit(
  { largestBufferBytes: needBytes = 0 }: FitQuestion,
  { device, adapterMaxBufferBytes: haveBytes = Infinity }: Machine,
): Fit | undefined {
  if (device === 'cpu' || needBytes <= haveBytes) return undefined;
  return {
    verdict: 'too-large',
    needBytes,
    haveBytes,
    sentence: `The model needs a buffer of ${formatBytes(needBytes)} and this GPU allows ${formatBytes(haveBytes)}. Choose a smaller model or run it on the CPU.`,
  };
}

function memoryFit(question: FitQuestion, need: MemoryNeed, machine: Machine): Fit {
  const needBytes = need.totalBytes;
  const haveBytes = memoryOf(machine);
  if (haveBytes === undefined) return unknownFit(needBytes, machine);
  const verdict = needBytes > haveBytes ? 'too-large' : needBytes > haveBytes * easyShare ? 'tight' : 'fits';
  const contextSize = verdict === 'fits' ? undefined : largestContext(question, haveBytes * easyShare);
  return {
    verdict,
    needBytes,
    haveBytes,
    sentence: sentenceOf(verdict, needBytes, haveBytes, machine, contextSize),
    ...(contextSize === undefined ? {} : { suggestion: { contextSize } }),
  };
}

function memoryOf({ device, wasmHeapBytes, adapterMemoryGuessBytes }: Machine): number | undefined {
  return device === 'cpu' ? Math.max(0, wasmHeapBytes - engineBytes) : adapterMemoryGuessBytes;
}

/** A GPU that allows one buffer as large as the whole model has the memory for it, as far as anyone can tell. */
function unknownFit(needBytes: number, { adapterMaxBufferBytes = 0 }: Machine): Fit {
  if (needBytes <= adapterMaxBufferBytes) {
    const sentence = `The model needs about ${formatBytes(needBytes)} of GPU memory, which this GPU should have.`;
    return { verdict: 'fits', needBytes, haveBytes: undefined, sentence };
  }
  const sentence = `The model needs about ${formatBytes(needBytes)} of GPU memory. The browser does not tell how much there is, so loading may fail.`;
  return { verdict: 'tight', needBytes, haveBytes: undefined, sentence };
}

function sentenceOf(
  verdict: Fit['verdict'],
  needBytes: number,
  haveBytes: number,
  { device }: Machine,
  contextSize: number | undefined,
): string {
  const where = device === 'cpu' ? 'this tab can use' : 'the GPU has';
  const numbers = `The model needs about ${formatBytes(needBytes)} of memory and ${where} ${formatBytes(haveBytes)}.`;
  if (verdict === 'fits') return numbers;
  const advice =
    contextSize === undefined
      ? 'Choose a smaller model or a smaller quantization.'
      : `A context of ${contextSize} tokens would fit.`;
  return `${numbers} ${advice}`;
}

/** Smaller than what was asked for; `undefined` when not even the smallest would fit. */
function largestContext({ need, contextSize }: FitQuestion, haveBytes: number): number | undefined {
  let fitting = 0;
  let beyond = Math.ceil(contextSize / contextStep);
  while (beyond - fitting > 1) {
    const middle = Math.floor((fitting + beyond) / 2);
    if (need(middle * contextStep).totalBytes <= haveBytes) fitting = middle;
    else beyond = middle;
  }
  return fitting === 0 ? undefined : fitting * contextStep;
}
