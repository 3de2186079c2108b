import { expect, it, vi } from 'vitest';
import { page, userEvent } from 'vitest/browser';
import { render } from 'vitest-browser-svelte';
import { everyRequest } from '#lib/state/request-query.ts';
import { idOf, recordSample, rowSample } from '#lib/state/testing/request-samples.ts';
import '#lib/components/ui/tokens.css';
import '#lib/components/ui/components.css';
import '#lib/components/ui/product.css';
import { readAddress } from './address.ts';
import { pageSample } from './testing/page-samples.ts';
import RequestsPage from './RequestsPage.svelte';

const row = (name: string) => page.getByRole('row').filter({ hasText: name });

async function show(query = '', setUp: (sample: ReturnType<typeof pageSample>) => void = () => undefined) {
  await page.viewport(1280, 800);
  const sample = pageSample();
  setUp(sample);
  const onAddress = vi.fn();
  const props = {
    app: sample.app,
    desk: sample.desk,
    address: readAddress(new URLSearchParams(query)),
    onAddress,
    onDownload: vi.fn(),
    open: vi.fn(),
  };
  const screen = await render(RequestsPage, props);
  screen.container.style.height = '600px';
  const go = (next: string) => screen.rerender({ ...props, address: readAddress(new URLSearchParams(next)) });
  return { ...sample, onAddress, go, onDownload: props.onDownload };
}

const boxOf = (element: Element) => element.getBoundingClientRect();

function shownBoxes(role: 'columnheader' | 'gridcell' | 'row') {
  const boxes = page.getByRole(role).elements().map(boxOf);
  return boxes.filter(({ width }) => width > 0);
}

const headBottom = () => shownBoxes('row')[0]?.bottom ?? Infinity;

function activeTop() {
  const id = page.getByRole('grid').element().getAttribute('aria-activedescendant');
  const active = id === null ? null : document.getElementById(id);
  return active?.getBoundingClientRect().top;
}

it('shows a request as it begins, goes on and ends', async () => {
  const { client } = await show();
  await expect.element(page.getByRole('heading', { name: 'No requests yet' })).toBeVisible();
  const { duration_ms: _, ...timing } = rowSample(1).timing;
  client.stream?.event('request', rowSample(1, { state: 'decode', timing, started_ms: Date.now() }));
  await expect.element(row('Question 1')).toHaveTextContent('Streaming');
  client.stream?.event('request', rowSample(1, { version: 2 }));
  await expect.element(row('Question 1')).toHaveTextContent('6.67 s');
  await expect.element(row('Question 1')).toHaveTextContent('33 %');
});

it('has few of ten thousand rows in the document, and reads on at the end', async () => {
  const { client } = await show('', ({ client }) => {
    client.rows = Array.from({ length: 10_000 }, (_, index) => rowSample(10_000 - index));
  });
  await expect.element(row('Question 10000')).toBeVisible();
  await expect.element(page.getByRole('grid')).toHaveAttribute('aria-rowcount', '10001');
  expect(page.getByRole('row').elements().length).toBeLessThan(100);
  await page.getByRole('grid').click({ position: { x: 5, y: 5 } });
  await userEvent.keyboard('{End}');
  await expect.element(row('Question 9701')).toBeVisible();
  await expect.poll(() => client.paths('GET').at(-1)).toContain('before=');
});

it('has its columns under their heads, at every width', async () => {
  await show('', ({ client }) => (client.rows = [rowSample(2), rowSample(1)]));
  await expect.element(row('Question 1')).toBeVisible();
  for (const [width, columns] of [
    [1280, 8],
    [1024, 7],
    [800, 6],
  ] as const) {
    await page.viewport(width, 800);
    const heads = () => shownBoxes('columnheader');
    await expect.poll(() => heads().length).toBe(columns);
    const cells = shownBoxes('gridcell');
    expect(cells.slice(0, columns).map(({ left }) => left)).toEqual(heads().map(({ left }) => left));
    const [head, first, second] = shownBoxes('row');
    expect(first?.top).toBeCloseTo(head?.bottom ?? 0, 0);
    expect(second?.top).toBeCloseTo(first?.bottom ?? 0, 0);
  }
});

it('shows the row that the keys reach, and not below the head', async () => {
  await show('', ({ client }) => {
    client.rows = Array.from({ length: 200 }, (_, index) => rowSample(200 - index));
  });
  await expect.element(row('Question 200')).toBeVisible();
  await page.getByRole('grid').click({ position: { x: 5, y: 5 } });
  await userEvent.keyboard('{End}');
  await expect.poll(() => activeTop() ?? -1).toBeGreaterThan(headBottom());
  await userEvent.keyboard('{PageUp}{PageUp}{PageUp}');
  await expect.poll(() => activeTop() ?? -1).toBeGreaterThanOrEqual(headBottom());
});

it('opens by a click and by keys, and closes by Escape', async () => {
  const { onAddress, go } = await show('', ({ client }) => {
    client.rows = [rowSample(2), rowSample(1)];
    client.records.set(idOf(1), recordSample(1));
  });
  await row('Question 1').click();
  expect(onAddress).toHaveBeenLastCalledWith(expect.objectContaining({ id: idOf(1) }));
  await go(`id=${idOf(1)}`);
  await expect.element(page.getByRole('meter', { name: 'Context used' }).last()).toBeVisible();
  await page.getByRole('grid').click({ position: { x: 5, y: 5 } });
  await userEvent.keyboard('{ArrowUp}');
  expect(onAddress).toHaveBeenLastCalledWith(expect.objectContaining({ id: idOf(2) }));
  await userEvent.keyboard('{Escape}');
  expect(onAddress).toHaveBeenLastCalledWith(expect.objectContaining({ id: undefined }));
});

it('replays on R, and leaves a letter after G to the shell', async () => {
  const { client } = await show('', ({ client }) => {
    client.rows = [rowSample(1)];
    client.instead = (method) =>
      method === 'POST' ? new Response('{}', { headers: { 'x-request-id': idOf(2) } }) : undefined;
  });
  await expect.element(row('Question 1')).toBeVisible();
  await page.getByRole('grid').click({ position: { x: 5, y: 5 } });
  await userEvent.keyboard('{ArrowDown}gr');
  expect(client.paths('POST')).toEqual([]);
  await userEvent.keyboard('r');
  await expect.poll(() => client.paths('POST')).toEqual([`/_sampan/requests/${idOf(1)}/replay`]);
});

it('says that nothing matches, and clears the filters', async () => {
  const { onAddress } = await show('q=zebra&state=failed', ({ client }) => {
    const kept = { count: 7, bytes: 0 };
    client.instead = (_method, url) =>
      url.pathname === '/_sampan/requests' ? Response.json({ requests: [], total: 0, kept }) : undefined;
  });
  await expect.element(page.getByRole('heading', { name: 'No requests match “zebra”' })).toBeVisible();
  await expect.element(page.getByText('7 requests are hidden by the filters.')).toBeVisible();
  await page.getByRole('button', { name: 'Clear filters' }).last().click();
  expect(onAddress).toHaveBeenLastCalledWith(expect.objectContaining({ query: everyRequest }));
});

it('keeps filters in the address', async () => {
  const { onAddress, client } = await show('source=tab');
  await expect.poll(() => client.paths('GET')).toContain('/_sampan/requests/events?source=tab');
  await page.getByRole('combobox', { name: 'Status' }).selectOptions('Failed');
  expect(onAddress.mock.lastCall?.[0]).toMatchObject({
    query: { states: ['failed', 'lost'], source: 'tab' },
  });
  await page.getByRole('searchbox').fill('pears');
  expect(onAddress.mock.lastCall?.[0]).toMatchObject({ query: { text: 'pears' } });
});

it('says that recording is off, and turns it on', async () => {
  const { client } = await show('', ({ client }) => (client.settings.recording = false));
  await page.getByRole('button', { name: 'Record again' }).click();
  await expect.poll(() => client.sent.at(-1)?.body).toEqual({ recording: true });
  await expect.element(page.getByText('Recording is off.')).not.toBeInTheDocument();
});

it('says that no host answers, and asks again', async () => {
  const error = { message: 'No Sampan tab is open.', type: 'server_error', param: null, code: 'no_host' };
  const { client } = await show('', ({ client }) => {
    client.instead = () => Response.json({ error }, { status: 503 });
  });
  await expect.element(page.getByRole('alert')).toHaveTextContent('No Sampan tab is open.');
  client.instead = () => undefined;
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect.element(page.getByRole('heading', { name: 'No requests yet' })).toBeVisible();
});

it('says that a request is not kept', async () => {
  await show('id=req_gone');
  await expect.element(page.getByRole('heading', { name: 'This request is not kept' })).toBeVisible();
});

it('replays a request and opens the new one', async () => {
  const { client, onAddress } = await show(`id=${idOf(1)}`, ({ client }) => {
    client.records.set(idOf(1), recordSample(1));
    client.instead = (method) =>
      method === 'POST' ? new Response('{}', { headers: { 'x-request-id': idOf(2) } }) : undefined;
  });
  await page.getByRole('button', { name: 'Replay' }).click();
  await expect.poll(() => onAddress.mock.lastCall?.[0]).toMatchObject({ id: idOf(2) });
  expect(client.paths('POST')).toEqual([`/_sampan/requests/${idOf(1)}/replay`]);
});

it('sends an edited body only when it is JSON', async () => {
  const { client, desk } = await show(`id=${idOf(1)}`, ({ client }) => {
    client.records.set(idOf(1), recordSample(1));
    client.instead = (method) =>
      method === 'POST' ? new Response('{}', { headers: { 'x-request-id': idOf(2) } }) : undefined;
  });
  await page.getByRole('button', { name: 'More for this request' }).click();
  await page.getByRole('menuitem', { name: 'Edit and replay…' }).click();
  const body = page.getByRole('textbox', { name: 'Body, as JSON' });
  await body.fill('{"model": ');
  await expect.element(page.getByRole('alert')).toHaveTextContent('This is not JSON');
  await expect.element(page.getByRole('button', { name: 'Send' })).toBeDisabled();
  await body.fill('{"model": "ai/other"}');
  await page.getByRole('button', { name: 'Send' }).click();
  await expect
    .poll(() => client.sent.findLast(({ method }) => method === 'POST')?.body)
    .toEqual({
      model: 'ai/other',
    });
  await expect.poll(() => desk.dialog).toBeUndefined();
});

it('compares two requests', async () => {
  const { client, onAddress, go } = await show(`id=${idOf(1)}`, ({ client }) => {
    client.rows = [rowSample(2), rowSample(1)];
    client.records.set(idOf(1), recordSample(1));
    client.records.set(idOf(2), recordSample(2, { finish_reason: 'length' }));
  });
  await page.getByRole('button', { name: 'More for this request' }).click();
  await page.getByRole('menuitem', { name: 'Compare with another…' }).click();
  await row('Question 2').click();
  expect(onAddress).toHaveBeenLastCalledWith(expect.objectContaining({ id: idOf(1), withId: idOf(2) }));
  await go(`id=${idOf(1)}&with=${idOf(2)}`);
  await expect.element(row('Finished')).toHaveTextContent('stoplength');
  await expect.element(page.getByLabelText('Answer, right')).toHaveTextContent('Answer 2');
  expect(client.paths('GET')).toContain(`/_sampan/requests/${idOf(2)}`);
});

it('asks before it clears, with what is shown or with all', async () => {
  const { client } = await show('model=ai/a', ({ client }) => (client.rows = [rowSample(1)]));
  await expect.element(row('Question 1')).toBeVisible();
  await page.getByRole('button', { name: 'More for requests' }).click();
  await page.getByRole('menuitem', { name: 'Clear…' }).click();
  await page.getByRole('radio', { name: /All that are kept/ }).click();
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  await expect.poll(() => client.paths('DELETE')).toEqual(['/_sampan/requests']);
});

it('changes how much is kept', async () => {
  const { client } = await show();
  await page.getByRole('button', { name: 'Recording', exact: true }).click();
  const count = page.getByRole('textbox', { name: 'Most requests that are kept' });
  await count.fill('0');
  await expect.element(page.getByRole('alert')).toHaveTextContent('from 1 to 100,000');
  await count.fill('500');
  await page.getByRole('switch').click();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect.poll(() => client.sent.at(-1)?.body).toMatchObject({ recording: false, max_count: 500 });
});

it('exports what is shown', async () => {
  const { onDownload } = await show('q=x');
  await page.getByRole('button', { name: 'More for requests' }).click();
  await page.getByRole('menuitem', { name: 'Export as HAR' }).click();
  expect(onDownload).toHaveBeenCalledExactlyOnceWith('/_sampan/requests/export?q=x&format=har');
});

it('draws charts when they are asked for', async () => {
  await show('', ({ client }) => (client.rows = [rowSample(2), rowSample(1)]));
  await expect.element(row('Question 1')).toBeVisible();
  await page.getByRole('button', { name: 'More for requests' }).click();
  await page.getByRole('menuitem', { name: 'Show charts' }).click();
  await expect.element(page.getByText(/2 requests, median time to first token 412 ms/)).toBeInTheDocument();
  await expect.poll(() => document.querySelectorAll('.charts canvas').length).toBe(4);
});
