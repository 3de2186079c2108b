import { expect, it } from 'vitest';
import { addressOf, everyRequest, filterOf, isEveryRequest, readQuery } from './request-query.ts';

const read = (text: string) => readQuery(new URLSearchParams(text));

it('is the same after a way through the address', () => {
  const query = {
    text: 'a & b=c',
    model: 'docker.io/ai/smollm2:latest',
    states: ['failed', 'lost'],
    source: 'program',
    span: { kind: 'between', fromMs: 1000, toMs: 2000 },
    minDurationMs: 500,
  } as const;
  expect(readQuery(addressOf(query))).toEqual(query);
  expect(read('within=900000').span).toEqual({ kind: 'within', ms: 900_000 });
});

it('is short, and nothing for every request', () => {
  expect(addressOf(everyRequest).toString()).toBe('');
  expect(isEveryRequest(read(''))).toBe(true);
  expect(isEveryRequest(read('q=x'))).toBe(false);
});

it.each(['state=odd', 'source=me', 'min=-1', 'min=1e9', 'within=soon', 'from=5', 'from=9&to=3', 'to=4'])(
  'leaves out what makes no sense: %s',
  (address) => expect(read(address)).toEqual(everyRequest),
);

it('becomes the filter of the API: a span counts from now', () => {
  const filter = (address: string) => filterOf(read(address), 1_000_000).toString();
  expect(filter('within=900000&q=+x+&state=done,failed')).toBe('q=x&state=done%2Cfailed&from_ms=100000');
  expect(filter('from=1&to=2&min=500&source=tab')).toBe('source=tab&from_ms=1&to_ms=2&min_duration_ms=500');
  expect(filter('within=9000000')).toBe('from_ms=0');
});
