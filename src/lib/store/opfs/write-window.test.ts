import { describe, expect, it } from 'vitest';
import { WriteWindow } from './write-window.ts';

/** Whether a promise is settled once everything that can run has run. */
async function isSettled(work: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => void (settled = true);
  void work.then(note, note);
  await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

function gate() {
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => ([resolve, reject] = [onResolve, onReject]));
  return { promise, resolve, reject };
}

describe('WriteWindow', () => {
  it('lets bytes through up to its limit and then waits for the first that is written', async () => {
    const window = new WriteWindow(100);
    const [first, second] = [gate(), gate()];
    expect(await isSettled(window.add(60, first.promise))).toBe(true);
    expect(await isSettled(window.add(40, second.promise))).toBe(true);
    const third = window.add(50, Promise.resolve());
    expect(await isSettled(third)).toBe(true);
    const fourth = window.add(1, gate().promise);
    expect(await isSettled(fourth)).toBe(false);
    second.resolve();
    expect(await isSettled(fourth)).toBe(true);
  });

  it('settles when all is written', async () => {
    const window = new WriteWindow(100);
    const write = gate();
    await window.add(10, write.promise);
    const settled = window.settle();
    expect(await isSettled(settled)).toBe(false);
    write.resolve();
    await settled;
  });

  it('throws the first failure from then on', async () => {
    const window = new WriteWindow(100);
    const write = gate();
    await window.add(10, write.promise);
    write.reject(new Error('full'));
    await expect(window.settle()).rejects.toThrow('full');
    await expect(window.add(10, Promise.resolve())).rejects.toThrow('full');
    await expect(window.settle()).rejects.toThrow('full');
  });

  it('throws a failure to who waits for room', async () => {
    const window = new WriteWindow(100);
    const write = gate();
    const waiting = window.add(200, write.promise);
    write.reject(new Error('full'));
    await expect(waiting).rejects.toThrow('full');
  });
});
