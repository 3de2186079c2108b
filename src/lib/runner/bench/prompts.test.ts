import fc from 'fast-check';
import { expect, it } from 'vitest';
import { calibrate, promptOf } from './prompts.ts';

it('makes prompts that begin differently', () => {
  const prompts = Array.from({ length: 20 }, (_, turn) => promptOf(3, turn));
  expect(new Set(prompts.map((prompt) => prompt[0])).size).toBe(20);
  expect(prompts[0]).toBe('A the the the');
});

it('finds the words for so many tokens, or the nearest below, in a few attempts', async () => {
  const vocabulary = fc.record({
    perWord: fc.integer({ min: 1, max: 5 }),
    opening: fc.integer({ min: 0, max: 9 }),
    target: fc.integer({ min: 180, max: 600 }),
  });
  await fc.assert(
    fc.asyncProperty(vocabulary, async ({ perWord, opening, target }) => {
      let calls = 0;
      let mostTokens = 0;
      const tokensOf = (words: number) => opening + words * perWord;
      const words = await calibrate(target, (each) => {
        calls++;
        mostTokens = Math.max(mostTokens, tokensOf(each));
        return Promise.resolve(tokensOf(each));
      });
      expect(target - tokensOf(words)).toBeGreaterThanOrEqual(0);
      expect(target - tokensOf(words)).toBeLessThan(perWord);
      expect(mostTokens, 'never more than the context may hold').toBeLessThanOrEqual(target);
      expect(calls).toBeLessThanOrEqual(6);
    }),
  );
});
