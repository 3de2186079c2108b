/** Sends a recorded request again, as it was or with another body, and answers with its answer. */
import { ApiError } from '#lib/core/errors.ts';
import type { Recorder } from '#lib/runner/recorder/recorder.ts';
import type { Call } from '#lib/runner/router.ts';

export interface ReplayPorts {
  readonly recorder: Recorder;
  readonly send: (request: Request) => Promise<Response>;
}

/** Where models are asked. An imported record may name any path, and a replay must not unload or delete. */
const inference =
  /^(\/engines(\/[a-z.]+)?)?\/v1\/(chat\/completions|completions|embeddings|rerank|responses)$|^\/rerank$|^\/responses$|^\/anthropic\/v1\/messages$|^\/api\/(chat|generate|embed|embeddings)$/;

export async function replay(call: Call, { recorder, send }: ReplayPorts): Promise<Response> {
  const record = await recorder.get(call.rest);
  if (!inference.test(record.path)) {
    throw new ApiError(
      'invalid_request',
      'This record is of no request to a model. It cannot be sent again.',
    );
  }
  const edited: unknown = await call.optionalJson();
  if (edited === undefined) assertWhole(record.request_body);
  const { accept } = record.request_headers;
  return send(
    new Request(new URL(record.path, call.url.origin), {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(accept !== undefined && { accept }),
        'x-sampan-source': 'replay',
        'x-sampan-replay-of': record.id,
      },
      body: edited === undefined ? record.request_body.text : JSON.stringify(edited),
      signal: call.request.signal,
    }),
  );
}

function assertWhole({ text, cut_chars: cut }: { readonly text: string; readonly cut_chars?: number }): void {
  if (text !== '' && cut === undefined) return;
  throw new ApiError(
    'invalid_request',
    'The body of this request is not kept whole. Send it with a body of your own.',
  );
}
