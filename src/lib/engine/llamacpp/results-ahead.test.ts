import { expect, it } from 'vitest';
import { NativeException } from './faults.ts';
import { askAhead } from './results-ahead.ts';

const piece = { _name: 'gres_res', has_more: true, is_error: false, data_json: '{"n":1}' };
const silent = { ...piece, data_json: '' };
const last = { ...piece, has_more: false };

/** A worker that gives these results, one for each call for one. */
function worker(...results: readonly (object | Error)[]) {
  const calls: string[] = [];
  let given = 0;
  const act = askAhead((action, body) => {
    calls.push(`${action} ${JSON.stringify(body)}`);
    const result = action === 'get_result' ? results[given++] : { _name: `${action}_res` };
    return result instanceof Error ? Promise.reject(result) : Promise.resolve(result);
  });
  const get = (id = 7) => act('get_result', { _name: 'gres_req', req_id: id });
  return { calls, act, get };
}

it('asks for the next piece before anybody wants it, and for each once', async () => {
  const { calls, get } = worker(piece, { ...piece, data_json: '2' }, last);
  expect(await get()).toBe(piece);
  expect(calls).toHaveLength(2);
  expect(await get()).toMatchObject({ data_json: '2' });
  expect(await get()).toBe(last);
  expect(calls).toHaveLength(3);
});

it('does not ask ahead while the prompt is read, after the end, or after an error', async () => {
  const progress = { ...piece, data_json: '{"choices":[],"prompt_progress":{"total":9}}' };
  const begun = { ...piece, data_json: 'null' };
  const { calls, get } = worker(silent, begun, progress, { ...piece, is_error: true }, last);
  for (let asked = 1; asked <= 5; asked++) {
    await get();
    expect(calls).toHaveLength(asked);
  }
});

it('keeps requests apart', async () => {
  const { get } = worker(piece, { ...piece, data_json: 'next of 7' }, { ...last, data_json: 'of 8' });
  await get(7);
  expect(await get(8)).toMatchObject({ data_json: 'of 8' });
  expect(await get(7)).toMatchObject({ data_json: 'next of 7' });
});

it('forgets what it asked when the request is cancelled, whatever becomes of it', async () => {
  const { calls, act, get } = worker(piece, new Error('gone'), last);
  await get();
  await act('cancel', { _name: 'cncl_req', req_id: 7 });
  expect(await get()).toBe(last);
  expect(calls.map((call) => call.split(' ')[0])).toEqual([
    'get_result',
    'get_result',
    'cancel',
    'get_result',
  ]);
});

it('gives a failure to whom it belongs', async () => {
  const failure = { _name: 'erro_evt', message: 'Value is not callable' };
  const { act, get } = worker(piece, failure, last);
  await get();
  await expect(get()).rejects.toThrow(new NativeException('Value is not callable'));
  expect(await get()).toBe(last);
  expect(await act('completion', {})).toEqual({ _name: 'completion_res' });
});
