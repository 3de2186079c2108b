import { expect, it, vi } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import { Tasks, type Work } from './tasks.svelte.ts';

function setUp(work: Work) {
  const onEnd = vi.fn();
  const tasks = new Tasks({ onEnd });
  return { onEnd, tasks, task: tasks.start({ kind: 'push', title: 'ai/smollm2', work }) };
}

/** Goes one step with each call of `go`, and ends when told to. */
function stepped() {
  const gates: (() => void)[] = [];
  const work: Work = async function* ({ signal }) {
    for (let doneBytes = 0; doneBytes <= 100; doneBytes += 50) {
      yield { doneBytes, totalBytes: 100, text: 'Sending' };
      await new Promise<void>((resolve, reject) => {
        gates.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason));
      });
    }
    return 'Sent.';
  };
  const go = async () => {
    await expect.poll(() => gates.length).toBeGreaterThan(0);
    gates.shift()?.();
  };
  return { work, go };
}

it('shows how far it is, then its closing words', async () => {
  const { work, go } = stepped();
  const { task, tasks, onEnd } = setUp(work);
  await expect.poll(() => task.percent).toBe(0);
  await go();
  await expect.poll(() => task.percent).toBe(50);
  expect(tasks.running).toEqual([task]);
  await go();
  await go();
  await expect.poll(() => task.state).toEqual({ status: 'done', text: 'Sent.' });
  expect(tasks.running).toEqual([]);
  expect(onEnd).toHaveBeenCalledExactlyOnceWith(task);
});

it('has no percent while the size is not known', async () => {
  const { task } = setUp(async function* () {
    yield { doneBytes: 0, totalBytes: 0, text: 'Asking' };
    await new Promise(() => undefined);
    return '';
  });
  await expect.poll(() => task.state).toMatchObject({ status: 'running', step: { text: 'Asking' } });
  expect(task.percent).toBeUndefined();
});

it('is cancelled, stays in sight, and can be tried again', async () => {
  const { work } = stepped();
  const { task, tasks } = setUp(work);
  await expect.poll(() => task.percent).toBe(0);
  task.cancel();
  await expect.poll(() => task.state.status).toBe('cancelled');
  expect(tasks.list).toEqual([task]);
  void task.run();
  await expect.poll(() => task.percent).toBe(0);
  task.cancel();
});

it('fails in the words of the error and hands credentials to the next attempt only', async () => {
  const seen: unknown[] = [];
  const { task } = setUp(async function* ({ credentials }) {
    seen.push(credentials);
    yield { doneBytes: 0, totalBytes: 0, text: 'Asking' };
    if (seen.length === 2) return 'Sent.';
    throw new ApiError('unauthorized', 'The registry asks for a sign-in.');
  });
  await expect.poll(() => task.state).toMatchObject({ status: 'failed', error: { code: 'unauthorized' } });
  await task.run({ token: 'secret' });
  expect(task.state).toEqual({ status: 'done', text: 'Sent.' });
  await task.run();
  expect(seen).toEqual([undefined, { token: 'secret' }, undefined]);
});

it('clears what has ended, and nothing that runs', async () => {
  const { work, go } = stepped();
  const { task, tasks } = setUp(work);
  tasks.clear(task);
  expect(tasks.list).toEqual([task]);
  await go();
  await go();
  await go();
  await expect.poll(() => task.state.status).toBe('done');
  tasks.clear(task);
  expect(tasks.list).toEqual([]);
});
