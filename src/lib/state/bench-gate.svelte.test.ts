import { expect, it } from 'vitest';
import { ApiError } from '#lib/core/errors.ts';
import type { GateLineJson } from '#lib/model/wire-gate.ts';
import { Gate } from './bench-gate.svelte.ts';
import { gateSample } from './testing/bench-samples.ts';
import { json, ScriptedClient } from './testing/scripted-client.ts';
import { digestOf } from './testing/wire-samples.ts';

function setUp(...lines: readonly GateLineJson[]) {
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  const client = new ScriptedClient()
    .on(`GET /_sampan/gate?model=${encodeURIComponent(digestOf(1))}`, json({ results: [gateSample()] }))
    .on('POST /_sampan/gate', new Response(text));
  return { client, gate: new Gate({ client, reference: 'ai/smollm2', modelId: digestOf(1) }) };
}

const progress = { type: 'progress', stage: 'candidate', done: 1, total: 4 } as const;

it('checks, and shows the new result instead of the last one', async () => {
  const { gate, client } = setUp(progress, { type: 'done', result: gateSample({ id: 'gate_2' }) });
  await gate.load();
  expect(gate.last?.id).toBe('gate_1');
  await gate.start();
  expect(gate.run).toEqual({ status: 'idle' });
  expect(gate.last?.id).toBe('gate_2');
  expect(client.sent.at(-1)?.body).toEqual({ model: 'ai/smollm2' });
});

it('tells of a failure in the middle, and of an end without one', async () => {
  const { error } = new ApiError('device_lost', 'The GPU was reset.').toJSON();
  const failed = setUp(progress, { type: 'error', error });
  await failed.gate.start();
  expect(failed.gate.run).toMatchObject({ status: 'failed', error: { code: 'device_lost' } });
  const cut = setUp(progress);
  await cut.gate.start();
  expect(cut.gate.run).toMatchObject({ status: 'failed', error: { code: 'host_lost' } });
  expect(cut.gate.last).toBeUndefined();
});

it('starts once, and leaves nothing when it is cancelled', async () => {
  const { gate, client } = setUp();
  client.on('POST /_sampan/gate', (_request, signal) => {
    const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (controller) =>
        signal?.addEventListener('abort', () => controller.error(signal.reason), { once: true }),
    });
    return new Response(body);
  });
  const running = gate.start();
  await gate.start();
  expect(client.sent).toHaveLength(1);
  gate.cancel();
  await running;
  expect(gate.run).toEqual({ status: 'idle' });
});
