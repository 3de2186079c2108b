import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chunksOf, decodeCompanionFrame, decodeTabFrame, encodeFrame, maxChunkBytes } from './protocol.ts';
import type { CompanionFrame, TabFrame } from './protocol.ts';

type Bytes = Uint8Array<ArrayBuffer>;

const request = fc.integer({ min: 1, max: 0xffff_ffff });
const bytes = fc.uint8Array({ maxLength: 200 }) as fc.Arbitrary<Bytes>;
const headers = fc.array(fc.tuple(fc.string(), fc.string()), { maxLength: 5 });
const sizeBytes = fc.integer({ min: 0, max: 0xffff_ffff });
const kind = <K extends string>(name: K) => fc.constant(name);

const companionFrame: fc.Arbitrary<CompanionFrame> = fc.oneof(
  fc.record({
    kind: kind('open'),
    request,
    method: fc.constantFrom('GET', 'POST', 'DELETE'),
    url: fc.string().map((text) => `/${text}`),
    headers,
    body: fc.constantFrom('none' as const, 'follows' as const),
  }),
  fc.record({ kind: kind('body'), request, bytes }),
  fc.record({ kind: kind('body-end'), request }),
  fc.record({ kind: kind('credit'), request, sizeBytes }),
  fc.record({ kind: kind('cancel'), request }),
  fc.constant({ kind: 'ping', request: 0 } as const),
);
const tabFrame: fc.Arbitrary<TabFrame> = fc.oneof(
  fc.record({ kind: kind('ack'), request }),
  fc.record({ kind: kind('head'), request, status: fc.integer({ min: 200, max: 599 }), headers }),
  fc.record({ kind: kind('data'), request, bytes }),
  fc.record({ kind: kind('end'), request }),
  fc.record({ kind: kind('error'), request, body: fc.dictionary(fc.string(), fc.string()) }),
  fc.record({ kind: kind('credit'), request, sizeBytes }),
  fc.constant({ kind: 'pong', request: 0 } as const),
  fc.record({
    kind: kind('origins'),
    request: fc.constant(0 as const),
    rules: fc.record({ allowed: fc.array(fc.string()), refused: fc.array(fc.string()) }),
  }),
);

/** The same bytes in the middle of a larger buffer, as a socket gives them. */
function shifted(frame: Bytes): Bytes {
  const larger = new Uint8Array(frame.byteLength + 10);
  larger.set(frame, 3);
  return larger.subarray(3, 3 + frame.byteLength);
}

describe('a frame', () => {
  it('of the companion is read as it was written', () => {
    fc.assert(
      fc.property(companionFrame, (frame) => {
        expect(plain(decodeCompanionFrame(shifted(encodeFrame(frame))))).toEqual(plain(frame));
      }),
    );
  });

  it('of a tab is read as it was written', () => {
    fc.assert(
      fc.property(tabFrame, (frame) => {
        expect(plain(decodeTabFrame(shifted(encodeFrame(frame))))).toEqual(plain(frame));
      }),
    );
  });

  it('of one side means nothing to the other, but for credit', () => {
    const isCredit = ({ kind }: { kind: string }) => kind === 'credit';
    fc.assert(
      fc.property(companionFrame, tabFrame, (there, back) => {
        if (!isCredit(there)) expect(decodeTabFrame(encodeFrame(there))).toBeUndefined();
        if (!isCredit(back)) expect(decodeCompanionFrame(encodeFrame(back))).toBeUndefined();
      }),
    );
  });

  it('is never made of garbage by throwing', () => {
    const kinds = fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 17, 18, 19, 20, 21, 22, 255);
    const almost = fc
      .tuple(kinds, fc.uint8Array({ maxLength: 60 }))
      .map(([number, rest]) => new Uint8Array([1, number, ...rest]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array() as fc.Arbitrary<Bytes>, almost), (garbage) => {
        for (const decode of [decodeCompanionFrame, decodeTabFrame]) {
          const frame = decode(garbage);
          if (frame) expect(garbage[0]).toBe(1);
        }
      }),
      { numRuns: 500 },
    );
  });

  const written = (number: number, payload: unknown) =>
    new Uint8Array([1, number, 0, 0, 0, 1, ...new TextEncoder().encode(JSON.stringify(payload))]);

  it.each([
    ['a method that is none', { method: 'GET /\r\n', url: '/', headers: [], body: 'none' }],
    ['an address of another server', { method: 'GET', url: 'http://a/', headers: [], body: 'none' }],
    ['a header without a value', { method: 'GET', url: '/', headers: [['a']], body: 'none' }],
    ['a body that is neither there nor missing', { method: 'GET', url: '/', headers: [], body: true }],
  ])('that opens with %s is none', (_name, payload) => {
    expect(decodeCompanionFrame(written(1, payload))).toBeUndefined();
  });

  it.each([0, 100, 199, 600, 200.5, '200'])('with the status %j is none', (status) => {
    expect(decodeTabFrame(written(18, { status, headers: [] }))).toBeUndefined();
  });

  it('of another version is none', () => {
    const frame = encodeFrame({ kind: 'ack', request: 1 });
    frame[0] = 1;
    expect(decodeTabFrame(frame)).toBeUndefined();
  });
});

it('cuts bytes into chunks that fit, and loses none', () => {
  const whole = new Uint8Array(2 * maxChunkBytes + 1).fill(7);
  expect([...chunksOf(whole)].map(({ byteLength }) => byteLength)).toEqual([maxChunkBytes, maxChunkBytes, 1]);
  expect([...chunksOf(new Uint8Array(0))]).toEqual([]);
});

/** Arrays of numbers in place of views, and objects with the usual prototype. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, inner: unknown) => (inner instanceof Uint8Array ? [...inner] : inner)),
  );
}
