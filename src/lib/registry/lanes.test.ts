import { describe, expect, it } from 'vitest';
import { inLanes } from './lanes.ts';

const signal = new AbortController().signal;

describe('inLanes', () => {
  it('works on every item once, on so many at once', async () => {
    const done: number[] = [];
    let underWay = 0;
    let most = 0;
    const work = async (item: number) => {
      most = Math.max(most, ++underWay);
      await Promise.resolve();
      underWay--;
      done.push(item);
    };
    await inLanes([1, 2, 3, 4, 5, 6, 7], work, { lanes: 3, signal });
    expect(done.toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(3);
  });

  it('rejects with the first failure, after the others were told to stop and have ended', async () => {
    const ended: string[] = [];
    const work = (item: string, limited: AbortSignal) =>
      item === 'bad'
        ? Promise.reject(new Error('first'))
        : new Promise<void>((_, reject) =>
            limited.addEventListener('abort', () => {
              ended.push(item);
              reject(new Error('later'));
            }),
          );
    await expect(inLanes(['a', 'b', 'bad', 'never'], work, { lanes: 3, signal })).rejects.toThrow('first');
    expect(ended).toEqual(['a', 'b']);
  });

  it('starts nothing once aborted', async () => {
    const work = () => Promise.reject(new Error('started'));
    await expect(inLanes([1], work, { lanes: 2, signal: AbortSignal.abort() })).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' }),
    );
  });

  it('is done with nothing to do', async () => {
    await inLanes([], () => Promise.reject(new Error('started')), { lanes: 2, signal });
  });
});
