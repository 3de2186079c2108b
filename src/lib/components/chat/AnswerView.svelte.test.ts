import { expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { ApiError } from '#lib/core/errors.ts';
import { Answer } from '#lib/state/answer.svelte.ts';
import { AssistantMessage } from '#lib/state/conversation.svelte.ts';
import { chunkSample, runnerSample } from '#lib/state/testing/wire-samples.ts';
import type { RunnerJson } from '#lib/model/wire.ts';
import AnswerView from './AnswerView.svelte';
import { Markdown } from './markdown.ts';

async function setUp(answer: Answer, runner?: RunnerJson) {
  const onRegenerate = vi.fn();
  await render(AnswerView, {
    message: new AssistantMessage('m1', [answer], 0),
    answer,
    title: 'Qwen3 1.7B',
    runner,
    markdown: new Markdown(window),
    onCopy: vi.fn(),
    onShow: vi.fn(),
    onRegenerate,
    onTakeOver: vi.fn(),
  });
  return { onRegenerate };
}

it('says that the model is loading while it is', async () => {
  await setUp(Answer.begin('m', 0), runnerSample(1, { loading: true }));
  await expect.element(page.getByText('Loading Qwen3 1.7B…')).toBeVisible();
});

it('says how much of the prompt is read', async () => {
  const answer = Answer.begin('m', 0);
  answer.receive(chunkSample({}, { prompt_progress: { processed: 31, total: 50 } }), 10);
  await setUp(answer, runnerSample(1));
  await expect.element(page.getByText('Reading the prompt, 62 %')).toBeVisible();
});

it('folds the thoughts away once the answer begins', async () => {
  const answer = Answer.begin('m', 0);
  answer.receive(chunkSample({ reasoning_content: 'Let me see.' }), 100);
  answer.flush();
  await setUp(answer);
  await expect.element(page.getByText('Thinking…')).toBeVisible();
  await expect.element(page.getByText('Let me see.')).toBeVisible();
  answer.receive(chunkSample({ content: 'Paris.' }), 3300);
  answer.flush();
  await expect.element(page.getByText('Thought for 3.2 s')).toBeVisible();
  await expect.element(page.getByText('Let me see.')).not.toBeVisible();
  await page.getByText('Thought for 3.2 s').click();
  await expect.element(page.getByText('Let me see.')).toBeVisible();
});

it('keeps the text of a lost answer and offers to write it again', async () => {
  const answer = Answer.begin('m', 0);
  answer.receive(chunkSample({ content: 'Half an' }), 100);
  answer.endWith(new ApiError('host_lost', 'The tab that ran the engine went away.'));
  const { onRegenerate } = await setUp(answer);
  await expect.element(page.getByText('Half an')).toBeVisible();
  await expect.element(page.getByRole('alert')).toHaveTextContent('The engine moved.');
  await page.getByRole('button', { name: 'Regenerate' }).click();
  expect(onRegenerate).toHaveBeenCalledOnce();
});
