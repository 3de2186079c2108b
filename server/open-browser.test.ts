import { expect, it } from 'vitest';
import { browserOpener } from './open-browser.ts';

const url = 'http://localhost:12434';

it.each([
  ['darwin', {}, 'open'],
  ['win32', {}, 'cmd'],
  ['linux', { DISPLAY: ':0' }, 'xdg-open'],
  ['linux', { WAYLAND_DISPLAY: 'wayland-0' }, 'xdg-open'],
])('opens a browser on %s with %j by %s', (platform, environment, command) => {
  const opener = browserOpener(url, platform, environment);
  expect(opener).toMatchObject({ command });
  expect(opener?.args).toContain(url);
});

it('opens none in CI and none without a display', () => {
  expect(browserOpener(url, 'darwin', { CI: 'true' })).toBeUndefined();
  expect(browserOpener(url, 'linux', {})).toBeUndefined();
});
