import { expect, it } from 'vitest';
import { ManualClock } from '#lib/core/clock.ts';
import { ApiError } from '#lib/core/errors.ts';
import type { Endpoint } from './developers-endpoints.ts';
import { Trial } from './developers-trial.svelte.ts';
import { json, ScriptedClient, ScriptedStream } from './testing/scripted-client.ts';

const path = '/engines/v1/chat/completions';
const chat: Endpoint = {
  id: 'createChatCompletion',
  method: 'POST',
  path,
  tag: 'OpenAI',
  summary: '',
  description: '',
  parameters: [],
  aliases: [],
  body: '{"model":"ai/tiny","messages":[{"role":"user","content":"Hi"}]}',
  answers: [],
};
const inspect: Endpoint = { ...chat, id: 'getModel', method: 'GET', path: '/models/{ref}' };
const { body: _none, ...withoutBody } = inspect;
const say = (content: string) => ({ choices: [{ delta: { content } }] });

function trialOn(client: ScriptedClient) {
  const clock = new ManualClock();
  const trial = new Trial({ client, clock, frames: { next: (callback) => callback() } });
  return { clock, trial };
}

it('reads a stream as it comes: every byte, the text joined, status and times', async () => {
  const stream = new ScriptedStream();
  stream.response.headers.set('x-request-id', 'req_1');
  const client = new ScriptedClient().on(`POST ${path}`, () => stream.response);
  const { clock, trial } = trialOn(client);
  trial.choose(chat, 'ai/other');
  const sending = trial.send();
  await clock.advance(40);
  stream.data(say('Hel'));
  stream.data(say('lo'));
  await expect.poll(() => trial.joined).toBe('Hello');
  expect(trial.state).toMatchObject({ status: 'answering', head: { code: 200, requestId: 'req_1' } });
  await clock.advance(60);
  stream.done();
  await sending;
  expect(trial.state).toMatchObject({ status: 'done', durationMs: 100 });
  expect(trial.raw).toMatch(/^data: .*\[DONE\]\n\n$/s);
  expect(client.sent).toMatchObject([{ method: 'POST', body: { model: 'ai/other' } }]);
});

it('is cancelled in mid-stream, and keeps what came', async () => {
  const client = new ScriptedClient().on(`POST ${path}`, (_request, signal) => {
    const stream = new ScriptedStream(signal);
    stream.data(say('Once'));
    return stream.response;
  });
  const { trial } = trialOn(client);
  trial.choose(chat, undefined);
  const sending = trial.send();
  await expect.poll(() => trial.joined).toBe('Once');
  trial.cancel();
  await sending;
  expect(trial.state).toMatchObject({ status: 'cancelled', head: { code: 200 } });
  expect(trial.joined).toBe('Once');
});

it('shows a refusal as an answer, and a failure to reach anybody as a failure', async () => {
  const refused = new ApiError('model_not_found', 'There is no such model.').toJSON();
  const client = new ScriptedClient().on(`POST ${path}`, json(refused, 404));
  const { trial } = trialOn(client);
  trial.choose(chat, undefined);
  await trial.send();
  expect(trial.state).toMatchObject({ status: 'done', head: { code: 404 } });
  expect(trial.raw).toContain('There is no such model.');
  client.on(`POST ${path}`, () => Promise.reject(new ApiError('no_host', 'Open Sampan.')));
  await trial.send();
  expect(trial.state).toMatchObject({ status: 'failed', error: { code: 'no_host' } });
});

it('sends nothing that cannot be meant: a broken body, a path with braces in it', async () => {
  const client = new ScriptedClient();
  const { trial } = trialOn(client);
  trial.choose(chat, undefined);
  trial.body = '{';
  expect(trial.problem).toMatch(/not JSON/);
  await trial.send();
  trial.choose(withoutBody, undefined);
  expect(trial.problem).toMatch(/braces/);
  await trial.send();
  expect(client.sent).toEqual([]);
  trial.choose(withoutBody, 'ai/tiny');
  expect([trial.path, trial.problem]).toEqual(['/models/ai/tiny', undefined]);
});

it('lets go of an answer when another endpoint is chosen', async () => {
  const client = new ScriptedClient().on(
    `POST ${path}`,
    (_request, signal) => new ScriptedStream(signal).response,
  );
  const { trial } = trialOn(client);
  trial.choose(chat, undefined);
  const sending = trial.send();
  await expect.poll(() => trial.isBusy).toBe(true);
  trial.choose(withoutBody, 'ai/tiny');
  await sending;
  expect(trial.state).toEqual({ status: 'idle' });
});

it('finds no fault while there is no endpoint to choose yet', () => {
  expect(trialOn(new ScriptedClient()).trial.problem).toBeUndefined();
});
