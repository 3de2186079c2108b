// A streamed chat as a program sees it: when the first text came, when the last, and what the engine says of it.
import { EventSourceParserStream } from 'eventsource-parser/stream';
import { Client } from '#lib/bridge/client.ts';
import { Timing } from './timing.mjs';

const path = '/engines/v1/chat/completions';
const client = new Client();

/** By the app's own channel, straight to the worker. */
export function direct(body) {
  return timed(body, (init) => client.fetch(path, init));
}

/** By `fetch`, through the service worker. */
export function serviceWorker(body) {
  return timed(body, (init) => fetch(path, init));
}

async function timed(body, send) {
  const timing = new Timing();
  const response = await send({ method: 'POST', body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  const events = response.body
    .pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream());
  const reader = events.getReader();
  for (let next = await reader.read(); !next.done; next = await reader.read()) {
    if (next.value.data !== '[DONE]') timing.mark(JSON.parse(next.value.data));
  }
  return timing.toJSON();
}
