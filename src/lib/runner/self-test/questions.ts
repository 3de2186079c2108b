/** What the built-in model says at temperature 0: the same on every engine that computes correctly. */

export interface Question {
  readonly prompt: string;
  readonly reply: string;
}

/** The last one is the longest: its speed is told. */
export const questions: readonly [Question, ...Question[]] = [
  { prompt: 'What is the capital of France?', reply: 'Paris.' },
  { prompt: 'Say hello in Japanese.', reply: 'こんにちは' },
  {
    prompt: 'Count to 30.',
    reply: Array.from({ length: 30 }, (_, index) => index + 1).join(', '),
  },
];
