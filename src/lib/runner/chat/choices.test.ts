import { expect, it } from 'vitest';
import type { ChatEvent } from '#lib/openai/events.ts';
import { answerChoices, seedOf } from './choices.ts';

async function* answer(text: string): AsyncGenerator<ChatEvent, void, undefined> {
  yield await Promise.resolve<ChatEvent>({ type: 'text', text });
  yield {
    type: 'finish',
    reason: 'stop',
    usage: { promptTokens: 10, cachedTokens: 4, completionTokens: 3 },
    timings: { prefillTokens: 6, prefillMs: 2, decodeTokens: 3, decodeMs: 5 },
  };
}

async function gather(prompts: number, perPrompt: number): Promise<ChatEvent[]> {
  const events: ChatEvent[] = [];
  const each = (prompt: number, repeat: number) => answer(`${prompt}.${repeat}`);
  for await (const event of answerChoices({ prompts, perPrompt }, each)) events.push(event);
  return events;
}

it('leaves a single answer as it is', async () => {
  expect((await gather(1, 1)).every((event) => event.choice === undefined)).toBe(true);
});

it('numbers the answers of all prompts in a row', async () => {
  const texts = (await gather(2, 2)).flatMap((event) =>
    event.type === 'text' ? [[event.choice, event.text]] : [],
  );
  expect(texts).toEqual([
    [undefined, '0.0'],
    [1, '0.1'],
    [2, '1.0'],
    [3, '1.1'],
  ]);
});

it('counts each prompt once and every answer', async () => {
  expect((await gather(2, 3)).at(-1)).toMatchObject({
    choice: 5,
    usage: { promptTokens: 20, cachedTokens: 8, completionTokens: 18 },
    timings: { prefillTokens: 36, decodeTokens: 18, decodeMs: 30 },
  });
});

it('gives each answer a seed of its own, unless chance is asked for', () => {
  expect([seedOf(7, 0), seedOf(7, 2), seedOf(-1, 2), seedOf(undefined, 1)]).toEqual([7, 9, -1, undefined]);
});
