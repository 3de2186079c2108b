/** Prompts of a given number of tokens. Neighbours begin differently, so that the engine's prompt cache has none of them. */

/** One token each in the vocabularies of most models, the letters that begin a prompt too. */
const word = ' the';
const openings = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** `words` are repeated after the opening. */
export function promptOf(words: number, turn: number): string {
  return `${openings.charAt(turn % openings.length)}${word.repeat(words)}`;
}

const probes = [4, 24] as const;
const maxAttempts = 4;

/**
 * Finds how many words have so many tokens by asking the engine, which counts exactly. The nearest lower count is taken
 * where a word is several tokens. `count` prefills a prompt of so many words; the last calls are a warm-up.
 */
export async function calibrate(
  targetTokens: number,
  count: (words: number) => Promise<number>,
): Promise<number> {
  const [few, many] = [await count(probes[0]), await count(probes[1])];
  const perWord = Math.max(1, (many - few) / (probes[1] - probes[0]));
  let words = probes[0] + Math.floor((targetTokens - few) / perWord);
  let [best, bestGap] = [Math.max(1, words), Infinity];
  for (let attempt = 0; attempt < maxAttempts && bestGap >= perWord; attempt++) {
    words = Math.max(1, words);
    const gap = targetTokens - (await count(words));
    if (gap >= 0 && gap < bestGap) [best, bestGap] = [words, gap];
    words += Math.floor(gap / perWord);
  }
  return best;
}
