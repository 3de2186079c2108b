import { expect, it } from 'vitest';
import { isUnreadable, resultInPlace } from './half-characters.ts';
import { NativeLog } from './native-log.ts';

const native = new RangeError('Invalid typed array length: 1163217991');
const half = '[json.exception.type_error.316] invalid UTF-8 byte at index 0: 0xF0';

function logOf(...errors: readonly string[]): NativeLog {
  const log = new NativeLog(() => undefined);
  for (const error of errors) log.error(error);
  return log;
}

it('lets an answer go on after a piece that could not be written', () => {
  const log = logOf('earlier', half, 'RangeError: Invalid typed array length');
  const result = resultInPlace('get_result', native, log);
  expect(result).toMatchObject({ has_more: true, is_error: false });
  expect('data_json' in result && isUnreadable(JSON.parse(String(result.data_json)))).toBe(true);
  expect(log.takeErrors(), 'nothing is left to explain another failure').toEqual([]);
});

it.each([
  ['another action', 'completion', native, half],
  ['another exception of the engine', 'get_result', native, 'Value is not callable'],
  ['another failure', 'get_result', new Error('gone'), half],
])('leaves %s as it is, and its explanation', (_name, action, thrown, line) => {
  const log = logOf(line);
  expect(() => resultInPlace(action, thrown, log)).toThrow(thrown);
  expect(log.takeErrors()).toEqual([line]);
});
