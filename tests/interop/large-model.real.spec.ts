import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, test } from '@playwright/test';
import { withProfile } from '#tests/support/app.ts';
import { startHeadlessCompanion } from '#tests/support/headless-companion.ts';
import { wideGguf, type WideGguf } from '#tests/support/wide-gguf.ts';

/** 2.2 GB: more than a signed 32-bit offset reaches. */
const width = 716_800;

test('a model of one file above 2 GiB comes in from a program, and answers as the tiny one that it is made of', async () => {
  test.setTimeout(15 * 60_000);
  const gguf = await wideGguf(width);
  expect(gguf.sizeBytes).toBeGreaterThan(2 ** 31);
  await withProfile(async (profile) => {
    const companion = await startHeadlessCompanion(profile);
    const post = (path: string, body: unknown) =>
      fetch(companion.url + path, { method: 'POST', body: JSON.stringify(body) });
    try {
      const { digest } = await upload(`${companion.url}/_sampan/blobs`, gguf);
      const weights = [{ digest, name: 'wide.gguf' }];
      const packed = await post('/_sampan/package', { target: 'local/wide', format: 'docker', weights });
      expect(packed.status, await packed.text()).toBe(201);
      const configured = await post('/engines/_configure', { model: 'local/wide', 'context-size': 64 });
      expect(configured.ok, await configured.text()).toBe(true);
      const answer = await post('/engines/v1/chat/completions', {
        model: 'local/wide',
        temperature: 0,
        messages: [{ role: 'user', content: 'What is the capital of Japan?' }],
      });
      const text = await answer.text();
      expect(answer.status, text).toBe(200);
      expect(JSON.parse(text)).toMatchObject({
        choices: [{ message: { content: 'Tokyo.' }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 37 },
      });
    } finally {
      await companion.stop();
    }
  });
});

async function upload(url: string, gguf: WideGguf): Promise<{ digest: string }> {
  const headers = { 'content-length': gguf.sizeBytes };
  const sent = request(url, { method: 'POST', headers });
  const answered = new Promise<Readable>((resolve, reject) =>
    sent.on('response', resolve).on('error', reject),
  );
  await pipeline(Readable.from(gguf.pieces(), { highWaterMark: 1 }), sent);
  const response = await answered;
  response.setEncoding('utf8');
  const text = ((await response.toArray()) as string[]).join('');
  return JSON.parse(text) as { digest: string };
}
