import { expect, it } from 'vitest';
import { Turnstile } from './turnstile.ts';

it('lets one through at a time, in order, and nobody suffers for the failure of another', async () => {
  const turnstile = new Turnstile();
  const seen: string[] = [];
  let leave: () => void = () => undefined;
  const first = turnstile.pass(async () => {
    seen.push('first in');
    await new Promise<void>((resolve) => (leave = resolve));
    seen.push('first out');
    throw new Error('tripped');
  });
  const second = turnstile.pass(async () => seen.push('second'));
  const third = turnstile.pass(() => Promise.reject(new Error('fell')));
  await Promise.resolve();
  expect(seen).toEqual(['first in']);
  leave();
  await expect(first).rejects.toThrow('tripped');
  await second;
  await expect(third).rejects.toThrow('fell');
  expect(seen).toEqual(['first in', 'first out', 'second']);
});
