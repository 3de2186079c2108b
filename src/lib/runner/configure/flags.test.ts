import { expect, test } from 'vitest';
import { settingsOfFlags, splitFlags } from './flags.ts';

test.each([
  ['--temp 0.1 --top-k 20', ['--temp', '0.1', '--top-k', '20']],
  [`  -c  '4 096' "a \\"b\\" c" `, ['-c', '4 096', 'a "b" c']],
  ['', []],
])('%s is split as a shell would', (line, words) => expect(splitFlags(line)).toEqual(words));

test('an open quote is refused', () => {
  expect(() => splitFlags('--temp "0.1')).toThrow(expect.objectContaining({ code: 'invalid_request' }));
});

test('flags are read by any of their spellings', () => {
  expect(
    settingsOfFlags(['-c', '2048', '--cache-type-k=q8_0', '-fa', 'off', '--embeddings', '-ngl', '0']),
  ).toEqual({
    context_size: 2048,
    cache_type_k: 'q8_0',
    flash_attention: false,
    mode: 'embedding',
    gpu_layers: 0,
  });
});

test.each([['--model'], ['/etc/passwd'], ['--draft-max'], ['']])('“%s” is refused by name', (flag) => {
  expect(() => settingsOfFlags([flag, 'x'])).toThrow(
    expect.objectContaining({ code: 'unsupported_parameter', message: expect.stringContaining(`“${flag}”`) }),
  );
});

test('a flag at the end without its value is refused', () => {
  expect(() => settingsOfFlags(['--temp'])).toThrow(expect.objectContaining({ code: 'invalid_request' }));
});
