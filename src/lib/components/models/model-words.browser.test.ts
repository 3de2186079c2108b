import { expect, it } from 'vitest';
import { runnerSample } from '#lib/state/testing/wire-samples.ts';
import { agoWords, canChat, curlFor, freedWords, sizeWords, stateOf } from './model-words.ts';
import { localSample } from './testing/model-samples.ts';

it.each([
  [{}, 'Ready'],
  [{ runner: runnerSample(1, { loading: true }) }, 'Loading'],
  [{ runner: runnerSample(1), missingFiles: 1 }, 'Loaded'],
  [{ missingFiles: 1, obstacle: 'No.' }, '1 file damaged'],
  [{ missingFiles: 2 }, '2 files damaged'],
  [{ obstacle: 'No.' }, 'Cannot run here'],
])('says the most important about %j: %s', (changes, text) => {
  expect(stateOf(localSample(changes)).text).toBe(text);
});

it('knows what can answer', () => {
  expect(canChat(localSample())).toBe(true);
  expect(canChat(localSample({ obstacle: 'No.' }))).toBe(false);
  expect(canChat(localSample({ missingFiles: 1 }))).toBe(false);
});

it('marks shared bytes, and does not count them as freed', () => {
  const shared = localSample({ sizeBytes: 1_200_000_000, sharedBytes: 900_000_000 });
  expect(sizeWords(shared)).toBe('1.20 GB, 900 MB shared');
  expect(freedWords(shared)).toBe('Frees 300 MB. 900 MB stay: another model uses them.');
  expect(freedWords({ ...shared, sharedBytes: 1_200_000_000 })).toContain('Frees nothing;');
  expect(freedWords(localSample())).toBe('Frees 271 MB in this browser.');
});

it('tells how long ago', () => {
  const nowMs = new Date(2026, 10, 26, 12, 0).getTime();
  const ago = (minutes: number) => agoWords(nowMs - minutes * 60_000, nowMs);
  expect([0, 3, 125, 20 * 60, 17 * 24 * 60].map(ago)).toEqual([
    'now',
    '3 min ago',
    '2 h ago',
    'yesterday',
    '9 Nov',
  ]);
});

it('writes a command that a shell takes as it is', () => {
  expect(curlFor('docker.io/ai/smollm2:latest', 'http://localhost:12434')).toBe(
    [
      'curl http://localhost:12434/engines/v1/chat/completions \\',
      `  -H 'content-type: application/json' \\`,
      `  -d '{"model":"ai/smollm2","messages":[{"role":"user","content":"Hello"}]}'`,
    ].join('\n'),
  );
});
