import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  engineLockName,
  isWorkLease,
  parseConsumerMessage,
  parseControlMessage,
  parseEngineLockName,
  parseEngineMessage,
  protocolVersion,
  requestId,
  requestName,
} from './protocol.ts';

describe('engine lock names', () => {
  it('carry protocol, epoch and id', () => {
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.uuid(), (scope, epoch, engineId) => {
        const name = engineLockName(scope, epoch, engineId);
        expect(parseEngineLockName(scope, name)).toEqual({
          name,
          protocol: protocolVersion,
          epoch,
          engineId,
        });
      }),
    );
  });

  it.each(['llm-host', 'req:1', 'llm-engine:1:x:id', 'llm-engine:1:2:', 'other/llm-engine:1:2:id'])(
    'are not read from %s',
    (name) => expect(parseEngineLockName('', name)).toBeUndefined(),
  );
});

describe('leases', () => {
  it.each([
    ['POST', true],
    ['DELETE', true],
    ['GET', false],
    ['HEAD', false],
  ])('of a %s count as work: %s', (method, expected) => {
    expect(isWorkLease('scope/', requestName('scope/', requestId(method)))).toBe(expected);
  });
});

describe('messages', () => {
  const open = { type: 'open', engineId: 'e', rid: 'r', method: 'POST', url: '/v1/x', headers: [['a', 'b']] };

  it('are read in their own direction only', () => {
    expect(parseControlMessage({ ...open, body: new Uint8Array(2) })).toEqual({
      ...open,
      body: new Uint8Array(2),
    });
    expect(parseEngineMessage({ type: 'd', bytes: new Uint8Array(1) })).toEqual({
      type: 'd',
      bytes: new Uint8Array(1),
    });
    expect(parseConsumerMessage({ type: 'credit', bytes: 7 })).toEqual({ type: 'credit', bytes: 7 });
    expect(parseConsumerMessage({ type: 'ack' })).toBeUndefined();
    expect(parseEngineMessage({ type: 'cancel' })).toBeUndefined();
  });

  it.each([
    undefined,
    null,
    'open',
    {},
    { type: 'new-in-version-9' },
    { ...open, url: 'https://elsewhere' },
    { ...open, body: 'text' },
  ])('that are malformed are ignored: %j', (data) => expect(parseControlMessage(data)).toBeUndefined());
});
