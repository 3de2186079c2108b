/** Server-sent events as OpenAI frames them: `data: …` per event, `[DONE]` at the end. */

const encoder = new TextEncoder();

export const sseHeaders = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache',
} as const;

/** One `data:` frame; JSON holds no raw line break, so one line is enough. */
export function sseData(value: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(`data: ${JSON.stringify(value)}\n\n`);
}

/** A named event, for our own feeds. */
export function sseEvent(name: string, value: unknown): Uint8Array<ArrayBuffer> {
  return encoder.encode(`event: ${name}\ndata: ${JSON.stringify(value)}\n\n`);
}

export const sseDone = encoder.encode('data: [DONE]\n\n');
