import { expect, it } from 'vitest';
import { NativeLog, type NativeLine } from './native-log.ts';

it('writes lines of text, and nothing of the objects that the package logs beside them', () => {
  const lines: NativeLine[] = [];
  const log = new NativeLog((line) => lines.push(line));
  log.debug('load_tensors: done\n');
  log.debug({ metadata: { 'general.name': 'tiny' } });
  log.warn('Failed to cancel request', 1, new RangeError('outside'), { id: 1 });
  expect(lines).toEqual([
    { level: 'debug', text: 'load_tensors: done' },
    { level: 'warn', text: 'Failed to cancel request 1 RangeError: outside' },
  ]);
});

it('keeps what explains a failure, but not its echo in JavaScript', () => {
  const log = new NativeLog(() => undefined);
  log.error('unable to allocate buffer');
  log.error('RangeError: outside');
  expect(log.lastError).toBe('unable to allocate buffer');
  expect(log.takeErrors()).toEqual(['unable to allocate buffer']);
  expect(log.takeErrors()).toEqual([]);
});
