import { expect, it, vi } from 'vitest';
import { page } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { recordSample } from '#lib/state/testing/request-samples.ts';
import LongText from './LongText.svelte';
import OverviewPanel from './OverviewPanel.svelte';
import RequestPanel from './RequestPanel.svelte';
import ResponsePanel from './ResponsePanel.svelte';

it('shows hostile text as text', async () => {
  // The compiler of Svelte warns of the character itself, and of its escape.
  const override = String.fromCodePoint(0x202e);
  const text = `<img src=x onerror=alert(1)>\u001b[31mred${override}evil\u0000 {@html} ![](http://a/b) שלום`;
  const { container } = await render(LongText, { label: 'Answer', text });
  const shown = page.getByLabelText('Answer');
  await expect
    .element(shown)
    .toHaveTextContent('<img src=x onerror=alert(1)>␛[31mred⟨U+202E⟩evil␀ {@html} ![](http://a/b) שלום');
  expect(container.querySelector('img, script, a')).toBeNull();
});

it('has only the start of five megabytes in the document until more is wanted', async () => {
  await render(LongText, { label: 'Body', text: '😀'.repeat(2_600_000), cutChars: 12 });
  const length = () => page.getByLabelText('Body').element().textContent.length;
  expect(length()).toBe(10_000);
  await page.getByRole('button', { name: 'Show more' }).click();
  await expect.poll(length).toBe(40_000);
});

it('does not tear a pair of surrogates, and says what is not kept', async () => {
  await render(LongText, { label: 'Body', text: 'x' + '😀'.repeat(20), cutChars: 1200 });
  await expect.element(page.getByText('1,200 more characters are not kept.')).toBeVisible();
});

it('tells where the time went, the context and the parameters', async () => {
  await render(OverviewPanel, { request: recordSample(1), nowMs: 0 });
  for (const text of ['Where the time went', '6.26 s', '2,702 of 8,192 · 33 %', 'From cache 2,448']) {
    await expect.element(page.getByText(text)).toBeVisible();
  }
  await expect
    .element(page.getByRole('row').filter({ hasText: 'context_size' }))
    .toHaveTextContent('context_size–8192');
  await expect.element(page.getByLabelText('Prompt')).toHaveTextContent('Question 1');
});

it('tells why a request failed and what to do', async () => {
  const error = {
    message: 'The prompt has 9000 tokens.',
    type: 'invalid_request_error',
    param: null,
    code: 'context_length_exceeded',
  } as const;
  const request = recordSample(1, { state: 'failed', status_code: 400, error, answer: { text: '' } });
  await render(OverviewPanel, { request, nowMs: 0 });
  const note = page.getByRole('alert');
  await expect.element(note).toHaveTextContent('context_length_exceeded The prompt has 9000 tokens.');
  await expect.element(note).toHaveTextContent('load the model with a larger context');
});

it('links to its log and to what it is a replay of', async () => {
  await render(OverviewPanel, { request: recordSample(1, { replay_of: 'req_0' }), nowMs: 0 });
  await expect
    .element(page.getByRole('link', { name: 'req_0' }))
    .toHaveAttribute('href', '/requests?id=req_0');
  await expect
    .element(page.getByRole('link', { name: 'Lines of this request' }))
    .toHaveAttribute('href', '/logs?q=req_00000001');
});

it('shows the request as JSON, as messages, as the model saw it, and its headers', async () => {
  const onCopy = vi.fn();
  await render(RequestPanel, { request: recordSample(1), onCopy });
  await expect.element(page.getByLabelText('Request body')).toHaveTextContent('"temperature": 0.6');
  await page.getByRole('button', { name: 'Copy' }).click();
  expect(onCopy).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('"temperature": 0.6'));
  await page.getByRole('button', { name: 'Messages' }).click();
  await expect.element(page.getByLabelText('Message 2')).toHaveTextContent('Question 1');
  await page.getByRole('button', { name: 'As the model saw it' }).click();
  await expect.element(page.getByLabelText('Rendered prompt')).toHaveTextContent('<|im_start|>user');
  await page.getByRole('button', { name: 'Headers' }).click();
  await expect.element(page.getByText('application/json')).toBeVisible();
});

it('shows the answer joined, its frames and tokens with their times', async () => {
  await render(ResponsePanel, { request: recordSample(1), onCopy: vi.fn() });
  await expect.element(page.getByLabelText('Answer')).toHaveTextContent('Answer 1');
  await page.getByRole('button', { name: 'Raw stream' }).click();
  await expect.element(page.getByRole('log')).toHaveTextContent('0.450 #2 data: [DONE]');
  await expect.element(page.getByText(/2 frames\. Gap between frames: median 38 ms/)).toBeVisible();
  await page.getByRole('button', { name: 'Tokens' }).click();
  await expect.element(page.getByRole('log')).toHaveTextContent('0.412 #1 Answer');
});

it('has few of many frames in the document', async () => {
  const frames = Array.from({ length: 5000 }, (_, index) => ({ at_ms: index, text: `data: ${index}\n\n` }));
  await render(ResponsePanel, { request: recordSample(1, { frames }), onCopy: vi.fn() });
  await page.getByRole('button', { name: 'Raw stream' }).click();
  await expect.element(page.getByRole('log')).toBeVisible();
  expect(page.getByRole('log').element().children.length).toBe(200);
  await page.getByRole('button', { name: '4,800 more frames' }).click();
  await expect.poll(() => page.getByRole('log').element().children.length).toBe(800);
});
