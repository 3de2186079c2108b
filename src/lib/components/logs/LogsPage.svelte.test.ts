import { expect, it } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import '#lib/components/ui/tokens.css';
import '#lib/components/ui/components.css';
import { ManualClock } from '#lib/core/clock.ts';
import { LogDesk } from '#lib/state/log-desk.ts';
import { browserFrames } from '#lib/state/frames.ts';
import { WorkerLogSearch } from '#lib/state/log-search.ts';
import { engineSample, lineSample, linesFrom, ScriptedLog } from '#lib/state/testing/log-samples.ts';
import { json, ScriptedClient } from '#lib/state/testing/scripted-client.ts';
import LogsPage from './LogsPage.svelte';

async function setUp({ query, height = '400px' }: { query?: string; height?: string } = {}) {
  const log = new ScriptedLog();
  const client = new ScriptedClient().on('GET /logs?follow=true&after=0', () => log.response);
  const clock = new ManualClock();
  const desk = new LogDesk({
    client,
    clock,
    frames: browserFrames,
    search: new WorkerLogSearch(clock),
    query,
  });
  const target = document.createElement('main');
  target.style.height = height;
  document.body.append(target);
  await render(LogsPage, { target, props: { desk } });
  return { log, desk, client };
}

const list = () => page.getByRole('log');
const button = (name: string | RegExp) => page.getByRole('button', { name });
const linesInView = () => document.querySelectorAll('.line').length;

it('shows a line with its time, level, part and text, and the way to its request', async () => {
  const { log } = await setUp();
  await expect.element(page.getByText('No lines here')).toBeVisible();
  log.write(
    lineSample(1, {
      level: 'error',
      message: 'request failed',
      fields: { request: 'req_1', code: 'internal' },
    }),
  );
  await expect
    .element(list())
    .toHaveTextContent(/ERROR\s*runner\s*request failed request=req_1 code=internal/);
  await expect
    .element(page.getByRole('link', { name: 'req_1' }))
    .toHaveAttribute('href', '/requests?id=req_1');
  await expect.element(button(/Error 1/)).toBeVisible();
});

it('shows the text without a break between its pieces', async () => {
  const { log } = await setUp();
  const fields = { request: 'req_1', mode: 'chat' };
  log.write(lineSample(1, { message: 'short' }), lineSample(2, { message: 'request began', fields }));
  await expect.poll(linesInView).toBe(2);
  const [short, long] = [...document.querySelectorAll('.line')];
  expect(long?.querySelector('.tx')?.textContent).toBe('request began request=req_1 mode=chat');
  expect(long?.getBoundingClientRect().height).toBe(short?.getBoundingClientRect().height);
});

/** Written so, because the compiler warns of it in any other form. */
const rightToLeft = String.fromCodePoint(0x202e);

it('shows hostile text as text', async () => {
  const { log } = await setUp();
  log.write(lineSample(1, { message: `<img src=x onerror=alert(1)> \u001b[31m ${rightToLeft}gpj` }));
  await expect.element(list()).toHaveTextContent('<img src=x onerror=alert(1)> ␛[31m ⟨U+202E⟩gpj');
  expect(document.querySelector('.log img')).toBeNull();
});

it('hides levels, marks matches, and says what filters hide', async () => {
  const { log } = await setUp();
  log.write(lineSample(1), lineSample(2, { level: 'debug', message: 'a timeout' }));
  await button(/Info 1/).click();
  await expect.element(list()).not.toHaveTextContent('line 1');
  await expect.element(button(/Info 1/)).toHaveAttribute('aria-pressed', 'false');
  await page.getByRole('searchbox', { name: 'Search logs' }).fill('TIME');
  await expect.poll(() => document.querySelector('mark')?.textContent).toBe('time');
  await page.getByRole('searchbox', { name: 'Search logs' }).fill('nowhere');
  await expect.element(page.getByText('No lines match “nowhere”')).toBeVisible();
  await expect.element(page.getByText('2 lines are hidden by filters.')).toBeVisible();
  await button('Clear filters').click();
  await expect.element(list()).toHaveTextContent('line 1');
});

it('finds by regular expression, and a broken one is said at the field', async () => {
  const { log } = await setUp({ query: '/line [24]$/' });
  log.write(...linesFrom(1, 5));
  await expect.poll(linesInView).toBe(2);
  const field = page.getByRole('searchbox', { name: 'Search logs' });
  await field.fill('/(/');
  await expect.element(page.getByRole('alert')).toHaveTextContent('not a regular expression');
  await expect.element(field).toHaveAccessibleDescription(/not a regular expression/);
  await userEvent.keyboard('{Escape}');
  await expect.element(field).toHaveValue('');
  await expect.poll(linesInView).toBe(5);
});

it('shows one source, and folds engine output until it is opened', async () => {
  const { log } = await setUp();
  log.write(lineSample(1), ...[2, 3, 4].map((number) => engineSample(number)));
  await expect.poll(linesInView).toBe(2);
  await button(/3 lines/).click();
  await expect.poll(linesInView).toBe(5);
  await expect.element(button(/3 lines/)).toHaveAttribute('aria-expanded', 'true');
  await page.getByRole('combobox', { name: 'Source' }).selectOptions('Service only');
  await expect.poll(linesInView).toBe(1);
  await page.getByRole('combobox', { name: 'Source' }).selectOptions('All sources');
  await button('More for the log').click();
  await page.getByRole('menuitem', { name: 'Show engine output apart' }).click();
  await expect.poll(linesInView).toBe(4);
});

it('pauses with Space without a loss, and tells how much is new', async () => {
  const { log } = await setUp();
  log.write(...linesFrom(1, 3));
  await expect.element(button('Following · Space to pause')).toBeVisible();
  await list().click({ position: { x: 5, y: 200 } });
  await userEvent.keyboard(' ');
  log.write(...linesFrom(4, 2));
  await expect.element(button('Paused · 2 lines new · Resume')).toBeVisible();
  expect(linesInView()).toBe(3);
  await userEvent.keyboard(' ');
  await expect.poll(linesInView).toBe(5);
});

it('has only what is in view in the document, and stays at the end until the reader scrolls up', async () => {
  const { log, desk } = await setUp();
  log.write(...linesFrom(1, 20_000));
  await expect.poll(() => desk.view.list.lineCount).toBe(20_000);
  await expect.element(page.getByText('line 20000')).toBeInViewport();
  expect(linesInView()).toBeLessThan(100);
  (list().element() as HTMLElement).focus();
  await userEvent.keyboard('{Home}');
  await expect.element(button('Jump to end')).toBeVisible();
  log.write(lineSample(20_001));
  await expect.poll(() => desk.view.list.lineCount).toBe(20_001);
  await button('Jump to end').click();
  await expect.element(page.getByText('line 20001')).toBeInViewport();
  await expect.element(button('Following · Space to pause')).toBeVisible();
});

it('opens at the end of lines of any height, in whatever batches they come', async () => {
  const { log, desk } = await setUp();
  for (let batch = 0; batch < 20; batch++) {
    const lines = linesFrom(1 + batch * 10, 10);
    log.write(
      ...lines.map((line, index) => ({ ...line, message: 'word '.repeat(1 + ((index * 37) % 150)) })),
    );
    await expect.poll(() => desk.view.list.lineCount).toBe((batch + 1) * 10);
  }
  log.write(lineSample(201));
  await expect.element(page.getByText('line 201')).toBeInViewport();
  await expect.element(button('Following · Space to pause')).toBeVisible();
  list()
    .element()
    .dispatchEvent(new WheelEvent('wheel', { deltaY: -300 }));
  list().element().scrollBy({ top: -300 });
  await expect.element(button('Jump to end')).toBeVisible();
});

it('scrolls sideways where lines are not wrapped, and never otherwise', async () => {
  const { log } = await setUp();
  log.write(lineSample(1, { message: 'word '.repeat(400) }));
  await expect.poll(linesInView).toBe(1);
  const isWider = () => list().element().scrollWidth > list().element().clientWidth;
  expect(isWider()).toBe(false);
  await button('Wrap lines').click();
  await expect.poll(isWider).toBe(true);
});

it('clears the view', async () => {
  const { log } = await setUp();
  log.write(...linesFrom(1, 3));
  await expect.poll(linesInView).toBe(3);
  await button('More for the log').click();
  await page.getByRole('menuitem', { name: 'Clear view' }).click();
  await expect.element(page.getByText('No lines here')).toBeVisible();
});

it('keeps the lines when the engine goes, and says so', async () => {
  const { log, client } = await setUp();
  log.write(lineSample(1));
  await expect.poll(linesInView).toBe(1);
  client.on('GET /logs?follow=true&after=1', json({}, 503));
  log.end();
  await expect.element(page.getByRole('alert')).toHaveTextContent('The engine does not answer.');
  expect(linesInView()).toBe(1);
});
