import { describe, expect, test } from 'vitest';
import { AsyncQueue } from './async-queue.ts';
import { ManualClock } from './clock.ts';
import { paced, type Chunk } from './paced.ts';

const stepMs = 8;

function stage() {
  const clock = new ManualClock(1000);
  const left: string[] = [];
  const queue = new AsyncQueue<Chunk>(() => left.push('left'));
  const chunks = paced(queue, { clock, stepMs });
  const texts: string[] = [];
  const read = async () => {
    for await (const bytes of chunks) texts.push(new TextDecoder().decode(bytes));
  };
  const push = (text: string, isPreface = false) =>
    queue.push({ bytes: new TextEncoder().encode(text), isPreface });
  return { clock, queue, chunks, texts, read, push, left };
}

describe('paced', () => {
  test('passes the first chunk on at once, and what comes together after the step together', async () => {
    const { clock, queue, texts, read, push } = stage();
    const over = read();
    push('a');
    await clock.advance(0);
    expect(texts).toEqual(['a']);
    await clock.advance(stepMs);
    push('b');
    push('c');
    await clock.advance(0);
    await clock.advance(1);
    expect(texts).toEqual(['a', 'bc']);
    queue.close();
    await over;
  });

  test('lets nothing wait for what comes before the text', async () => {
    const { clock, queue, texts, read, push } = stage();
    const over = read();
    push('opening', true);
    await clock.advance(1);
    push('a');
    await clock.advance(1);
    push('b');
    await clock.advance(1);
    expect(texts).toEqual(['opening', 'a']);
    queue.close();
    await over;
    expect(texts).toEqual(['opening', 'a', 'b']);
  });

  test('puts together what comes within one step', async () => {
    const { clock, queue, texts, read, push } = stage();
    const over = read();
    push('a');
    await clock.advance(1);
    push('b');
    await clock.advance(1);
    push('c');
    push('d');
    await clock.advance(1);
    expect(texts).toEqual(['a']);
    await clock.advance(stepMs);
    expect(texts).toEqual(['a', 'bcd']);
    queue.close();
    await over;
  });

  test('goes by the time at which chunks come, when the timer is late', async () => {
    const { clock, queue, push } = stage();
    let nowMs = 1000;
    const late = paced(queue, { clock: { now: () => nowMs, after: clock.after.bind(clock) }, stepMs });
    push('a');
    await late.next();
    push('b');
    const next = late.next();
    await clock.advance(0);
    nowMs += stepMs;
    push('c');
    await clock.advance(0);
    expect(new TextDecoder().decode((await next).value ?? undefined)).toBe('bc');
  });

  test('does not wait for the step when the end comes before it', async () => {
    const { clock, queue, texts, read, push } = stage();
    const over = read();
    push('a');
    await clock.advance(1);
    push('b');
    push('c');
    queue.close();
    await over;
    expect(texts).toEqual(['a', 'bc']);
  });

  test('gives what it holds before a failure', async () => {
    const { clock, queue, texts, read, push } = stage();
    const over = read();
    push('a');
    await clock.advance(1);
    push('b');
    queue.fail(new Error('lost'));
    await expect(over).rejects.toThrow('lost');
    expect(texts).toEqual(['a', 'b']);
  });

  test('ends its source when the reader leaves while nothing comes', async () => {
    const { clock, queue, chunks, push, left } = stage();
    push('a');
    await chunks.next();
    const next = chunks.next();
    await clock.advance(1);
    const returned = chunks.return();
    // As the owner of the source does: a generator that waits cannot be returned.
    queue.fail(new Error('gone'));
    await expect(next).rejects.toThrow('gone');
    await returned;
    expect(left).toEqual(['left']);
  });

  test('ends its source when the reader leaves between two chunks', async () => {
    const { chunks, push, left } = stage();
    push('a');
    push('b');
    await chunks.next();
    await chunks.return();
    expect(left).toEqual(['left']);
  });
});
