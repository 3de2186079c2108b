// A streamed chat as a program sees it: when the first text came, when the last, and what the engine says of it.
import { Client } from '#lib/bridge/client.ts';
import { readAnswer } from './timing.mjs';

const path = '/engines/v1/chat/completions';
const client = new Client();

/** By the app's own channel, straight to the worker. */
export function direct(body, headers = {}) {
  return timed(body, (init) => client.fetch(path, { ...init, headers }));
}

/** All at once. */
export function directAll(bodies) {
  return Promise.all(bodies.map((body) => direct(body)));
}

/** By `fetch`, through the service worker. */
export function serviceWorker(body) {
  return timed(body, (init) => fetch(path, init));
}

function timed(body, send) {
  return readAnswer(() => send({ method: 'POST', body: JSON.stringify(body) }));
}
