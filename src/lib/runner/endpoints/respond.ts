/** The few forms an endpoint answers in. */

export function json(value: unknown, status = 200): Response {
  return jsonText(JSON.stringify(value), status);
}

/** JSON that is written already. */
export function jsonText(text: string, status = 200): Response {
  return new Response(text, { status, headers: { 'content-type': 'application/json' } });
}

export interface StreamOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** The reader left. A pending `next` of the chunks must settle soon after. */
  readonly onCancel: () => void;
  /** Last bytes that tell of a failure in the middle; none where the form has no room for them. */
  readonly onError?: (thrown: unknown) => Uint8Array<ArrayBuffer>;
}

/** Bytes as they come, asked for one at a time by the reader. */
export function streamed(
  chunks: AsyncIterator<Uint8Array<ArrayBuffer>, void>,
  options: StreamOptions,
): Response {
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        try {
          const { done, value } = await chunks.next();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (thrown) {
          if (options.onError) controller.enqueue(options.onError(thrown));
          controller.close();
        }
      },
      async cancel() {
        options.onCancel();
        await chunks.return?.();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: options.headers });
}
