import { expect, it } from 'vitest';
import { jsonLines } from './ndjson.ts';

/** A response whose bytes arrive in the given pieces. */
function inPieces(...pieces: readonly (string | Uint8Array<ArrayBuffer>)[]): Response {
  const encoder = new TextEncoder();
  return new Response(
    new ReadableStream<Uint8Array<ArrayBuffer>>({
      start(controller) {
        for (const piece of pieces)
          controller.enqueue(typeof piece === 'string' ? encoder.encode(piece) : piece);
        controller.close();
      },
    }),
  );
}

async function all(response: Response): Promise<unknown[]> {
  const lines: unknown[] = [];
  for await (const line of jsonLines<unknown>(response)) lines.push(line);
  return lines;
}

it('reads lines that arrive in any pieces, the last one without its end', async () => {
  expect(await all(inPieces('{"a":', '1}\n{"a"', ':2}\n', '{"a":3}'))).toEqual([
    { a: 1 },
    { a: 2 },
    { a: 3 },
  ]);
});

it('joins a character that was cut in two', async () => {
  const bytes = new TextEncoder().encode('{"a":"é"}\n');
  expect(await all(inPieces(bytes.slice(0, 7), bytes.slice(7)))).toEqual([{ a: 'é' }]);
});

it('leaves out what is no JSON object', async () => {
  expect(await all(inPieces('\n\nfailed to push\n7\n{"a":1}\n'))).toEqual([{ a: 1 }]);
});
