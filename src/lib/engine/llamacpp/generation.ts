/** One answer in the making: what wllama calls back, read as an `AsyncIterable`. */
import { AsyncQueue } from '#lib/core/async-queue.ts';
import type { ChatEvent } from '#lib/openai/events.ts';
import type { ChunkReader } from './events.ts';
import { isNativeException } from './faults.ts';

type Chunk = Parameters<ChunkReader['read']>[0];

export interface Generation {
  /** Called with the first chunk. */
  readonly newReader: () => ChunkReader;
  /** The callback form: wllama's own iterator neither stops on `break` nor bounds its queue. */
  readonly send: (onData: (chunk: Chunk) => void, abortSignal: AbortSignal) => Promise<unknown>;
  /** Whether a C++ exception may be another request's, so that this one deserves a second try. */
  readonly hasCompany: () => boolean;
  readonly toFault: (thrown: unknown) => Error;
}

export function generate(generation: Generation, signal: AbortSignal): AsyncIterable<ChatEvent> {
  const left = new AbortController();
  const queue = new AsyncQueue<ChatEvent>(() => left.abort(), joined);
  void run(generation, AbortSignal.any([signal, left.signal]), queue);
  return queue;
}

async function run(generation: Generation, signal: AbortSignal, queue: AsyncQueue<ChatEvent>): Promise<void> {
  try {
    signal.throwIfAborted();
    await sendTwice(generation, signal, queue);
    signal.throwIfAborted();
    queue.close();
  } catch (thrown) {
    queue.fail(signal.aborted ? signal.reason : generation.toFault(thrown));
  }
}

/** All slots compute in one step: an exception there is told to whoever happens to wait for it. */
async function sendTwice(
  { newReader, send, hasCompany }: Generation,
  signal: AbortSignal,
  queue: AsyncQueue<ChatEvent>,
): Promise<void> {
  let told = 0;
  const attempt = () => {
    let reader: ChunkReader | undefined;
    return send((chunk) => {
      if (signal.aborted) return;
      reader ??= newReader();
      for (const event of reader.read(chunk)) {
        told++;
        queue.push(event);
      }
    }, signal);
  };
  try {
    await attempt();
  } catch (thrown) {
    if (told > 0 || signal.aborted || !isNativeException(thrown) || !hasCompany()) throw thrown;
    await attempt();
  }
}

/** A message comes at 60 Hz: up to four tokens of it, which is 250 a second, are told one by one. */
const maxUnread = 4;

/** The rest of them together, and what a slow reader left: each costs as much on its way as a small model's token. */
function joined(last: ChatEvent, next: ChatEvent, unread: number): ChatEvent | undefined {
  if (unread < maxUnread) return undefined;
  if (last.type === 'text' && next.type === 'text') {
    return last.logprobs || next.logprobs ? undefined : { ...last, text: last.text + next.text };
  }
  if (last.type === 'reasoning' && next.type === 'reasoning') {
    return { ...last, text: last.text + next.text };
  }
  const isOneCall =
    last.type === 'tool-arguments' && next.type === 'tool-arguments' && last.index === next.index;
  return isOneCall ? { ...last, text: last.text + next.text } : undefined;
}
