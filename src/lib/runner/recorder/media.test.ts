import { describe, expect, it } from 'vitest';
import type { RequestPageJson, RequestJson } from '#lib/model/wire-requests.ts';
import { MemoryRequests } from '#lib/store/memory/requests.ts';
import { chatPath, makeRecorderBench } from './testing/recorder-bench.ts';
import { liftMedia, restoreMedia } from './media.ts';

const image = `${'iVBORw0KGgo'.repeat(800)}==`;

class Counted extends MemoryRequests {
  readonly bytes: number[] = [];

  override put(...given: Parameters<MemoryRequests['put']>): Promise<void> {
    this.bytes.push(JSON.stringify(given[0]).length);
    return super.put(...given);
  }
}

const body = {
  model: 'ai/tiny',
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: 'What is this?' },
        { type: 'image_url', image_url: { url: `data:image/png;base64,${image}` } },
      ],
    },
  ],
};

async function records(call: Awaited<ReturnType<typeof makeRecorderBench>>['call']): Promise<RequestJson[]> {
  const page = (await (await call('/_sampan/requests')).json()) as RequestPageJson;
  return Promise.all(
    page.requests.map(
      async ({ id }) => (await (await call(`/_sampan/requests/${id}`)).json()) as RequestJson,
    ),
  );
}

describe('media in requests', () => {
  it('are kept once for all requests that hold them, and come back whole', async () => {
    const requests = new Counted();
    const bench = await makeRecorderBench({ requests });
    for (const _turn of [1, 2]) await (await bench.call(chatPath, body)).text();
    for (const record of await records(bench.call)) {
      expect(JSON.parse(record.request_body.text)).toEqual(body);
    }
    expect(Math.max(...requests.bytes)).toBeLessThan(image.length);
  });

  it('outlive the tab, and go with the last record that holds them', async () => {
    const requests = new MemoryRequests();
    const first = await makeRecorderBench({ requests });
    for (const _turn of [1, 2]) await (await first.call(chatPath, body)).text();
    await first.recorder.close();
    const { media } = await liftMedia(image);
    const key = media[0]?.key ?? '';

    const second = await makeRecorderBench({ requests, laterMs: 60_000 });
    const [newest, oldest] = await records(second.call);
    expect(newest?.request_body).toEqual(oldest?.request_body);
    const clear = (from: number) =>
      second.call(`/_sampan/requests?from_ms=${from}`, undefined, { method: 'DELETE' });
    await clear(newest?.started_ms ?? 0);
    expect(await requests.media(key)).toBe((await records(second.call)).length > 0 ? image : undefined);
    await clear(0);
    expect(await requests.media(key)).toBeUndefined();
  });

  it('does not take for media what a client wrote like a mark', async () => {
    const { media } = await liftMedia(image);
    const text = `[media ${media[0]?.key ?? ''}]`;
    expect(await restoreMedia(text, new Set(), () => Promise.resolve('secret'))).toBe(text);
  });

  it('leaves short texts alone', async () => {
    expect(await liftMedia('{"a":"QUJD"}')).toEqual({ text: '{"a":"QUJD"}', media: [] });
  });
});
