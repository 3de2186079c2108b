import { describe, expect, it } from 'vitest';
import type { ChatEvent } from '#lib/openai/events.ts';
import { ChunkReader } from './events.ts';
import { generate, type Generation } from './generation.ts';

const native = new RangeError('Invalid typed array length: 1163217991');
const chunk = { choices: [{ index: 0, text: 'a', finish_reason: null, logprobs: null }] } as never;
const never = new AbortController().signal;

/** Each attempt does the next of these. */
function generation(company: 'alone' | 'with others', ...attempts: Generation['send'][]): Generation {
  return {
    newReader: () => new ChunkReader(),
    send: (onData, signal) => {
      const [attempt] = attempts.splice(0, 1);
      if (!attempt) throw new Error('one attempt too many');
      return attempt(onData, signal);
    },
    hasCompany: () => company === 'with others',
    toFault: (thrown) => new Error('refused', { cause: thrown }),
  };
}

async function gather(events: AsyncIterable<ChatEvent>): Promise<ChatEvent[]> {
  const gathered: ChatEvent[] = [];
  for await (const event of events) gathered.push(event);
  return gathered;
}

const fails: Generation['send'] = () => Promise.reject(native);
const answers: Generation['send'] = async (onData) => onData(chunk);

describe('generate', () => {
  it('tries again once when an exception may have been another’s and nothing was told', async () => {
    const events = await gather(generate(generation('with others', fails, answers), never));
    expect(events).toEqual([{ type: 'text', text: 'a' }]);
    await expect(gather(generate(generation('with others', fails, fails), never))).rejects.toThrow('refused');
  });

  it('does not when it was alone, when something was told, and when it is no such exception', async () => {
    await expect(gather(generate(generation('alone', fails, answers), never))).rejects.toThrow('refused');
    const tells: Generation['send'] = async (onData) => {
      onData(chunk);
      throw native;
    };
    await expect(gather(generate(generation('with others', tells, answers), never))).rejects.toThrow();
    const dies: Generation['send'] = () => Promise.reject(new Error('(ABORT)'));
    await expect(gather(generate(generation('with others', dies, answers), never))).rejects.toThrow();
  });

  it('sends nothing for a signal that is aborted already', async () => {
    const unsent = generate(generation('alone'), AbortSignal.abort(new DOMException('x', 'AbortError')));
    await expect(gather(unsent)).rejects.toMatchObject({ name: 'AbortError' });
  });

  /** All in one message. */
  function answersWith(...deltas: readonly object[]): Generation['send'] {
    return async (onData) => {
      for (const delta of deltas) onData({ choices: [{ index: 0, delta, finish_reason: null }] } as never);
    };
  }
  const content = (text: string) => ({ content: text });
  const argument = (index: number, text: string) => ({
    tool_calls: [{ index, function: { arguments: text } }],
  });

  it('tells up to four tokens of a message one by one, and the rest with the fourth', async () => {
    for (const count of [4, 7]) {
      const letters = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].slice(0, count);
      const events = await gather(generate(generation('alone', answersWith(...letters.map(content))), never));
      expect(events).toEqual(
        ['a', 'b', 'c', letters.slice(3).join('')].map((text) => ({ type: 'text', text })),
      );
    }
  });

  it('joins neither speech with thoughts nor the arguments of two calls', async () => {
    const before = ['a', 'b', 'c'].map(content);
    const thoughts = ['h', 'm'].map((text) => ({ reasoning_content: text }));
    const calls = [argument(0, '{'), argument(0, '}'), argument(1, '[')];
    const send = answersWith(...before, ...thoughts, content('d'), ...calls);
    const events = await gather(generate(generation('alone', send), never));
    expect(events.slice(3)).toEqual([
      { type: 'reasoning', text: 'hm' },
      { type: 'text', text: 'd' },
      { type: 'tool-arguments', index: 0, text: '{}' },
      { type: 'tool-arguments', index: 1, text: '[' },
    ]);
  });

  it('joins nothing where each token is told with its probability', async () => {
    const told = generation('alone', async (onData) => Array(9).fill(chunk).forEach(onData));
    const newReader = () => new ChunkReader({ alternatives: 1 });
    const events = await gather(generate({ ...told, newReader }, never));
    expect(events).toEqual(Array(9).fill({ type: 'text', text: 'a', logprobs: [] }));
  });

  it('aborts the engine when its reader leaves, and tells nothing more', async () => {
    let stopped = false;
    const endless: Generation['send'] = (onData, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          stopped = true;
          onData(chunk);
          resolve(undefined);
        });
        onData(chunk);
      });
    for await (const event of generate(generation('alone', endless), never)) {
      expect(event).toEqual({ type: 'text', text: 'a' });
      break;
    }
    expect(stopped).toBe(true);
  });
});
