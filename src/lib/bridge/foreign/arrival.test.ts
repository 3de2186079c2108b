import { expect, it } from 'vitest';
import { awaitArrival } from './arrival.ts';

const hello = { sampan: 'hello', version: 1 };

/** A window and who opened it; Node's message events carry what a browser's do. */
function opened() {
  const windowEvents = new EventTarget();
  const said: unknown[] = [];
  const opener = { postMessage: (message: unknown, target: string) => said.push([message, target]) };
  const arrival = awaitArrival(windowEvents, opener);
  const hear = (
    data: unknown,
    changes: Partial<{ origin: string; source: unknown; ports: MessagePort[] }> = {},
  ) => {
    const { port1, port2 } = new MessageChannel();
    const event = new MessageEvent('message', { data });
    const { origin = 'http://site.example', source = opener, ports = [port2] } = changes;
    for (const [name, value] of Object.entries({ origin, source, ports })) {
      Object.defineProperty(event, name, { value });
    }
    windowEvents.dispatchEvent(event);
    return port1;
  };
  return { arrival, hear, said, opener };
}

it('says that it is ready, and takes the origin from the browser', async () => {
  const { arrival, hear, said } = opened();
  expect(said).toEqual([[{ sampan: 'ready', version: 1 }, '*']]);
  hear({ ...hello, origin: 'http://lie.example' }).close();
  expect(await arrival).toMatchObject({ kind: 'visitor', visitor: { origin: 'http://site.example' } });
});

it('does not hear other windows, other messages, or a hello without exactly one port', async () => {
  const { arrival, hear } = opened();
  const { port1, port2 } = new MessageChannel();
  const deaf = [
    hear(hello, { source: {}, origin: 'http://evil.example' }),
    hear(hello, { source: null, origin: 'http://evil.example' }),
    hear({ sampan: 'ready', version: 1 }),
    hear('hello'),
    hear(null),
    hear(hello, { ports: [], origin: 'http://none.example' }),
    hear(hello, { ports: [port1, port2], origin: 'http://two.example' }),
  ];
  hear(hello, { origin: 'https://first.example' }).close();
  // The opener has moved on to another site: too late.
  const late = hear(hello, { origin: 'http://later.example' });
  expect(await arrival).toMatchObject({ visitor: { origin: 'https://first.example' } });
  for (const port of [...deaf, late, port1]) port.close();
});

it.each<[string, string, number]>([
  ['a file or a sandboxed frame', 'null', 1],
  ['a scheme that nobody knows', 'foo://bar', 1],
  ['a pattern in place of an origin', 'http://localhost:*', 1],
  ['everybody', '*', 1],
  ['another version', 'http://site.example', 2],
])('tells %s why it is not let in', async (_name, origin, version) => {
  const { arrival, hear } = opened();
  const port = hear({ sampan: 'hello', version }, { origin });
  const told = new Promise((resolve) => (port.onmessage = ({ data }) => resolve(data)));
  expect(await arrival).toMatchObject({ kind: 'refused' });
  expect(await told).toMatchObject({ type: 'bye', body: { error: { code: expect.any(String) } } });
  port.close();
});
