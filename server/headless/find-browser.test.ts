import { expect, it } from 'vitest';
import { findBrowser } from './find-browser.ts';

const found = (platform: string, environment: Record<string, string>, ...paths: string[]) =>
  findBrowser({ platform, environment, exists: (path) => paths.includes(path) });

it('takes the named program, whether it stands there or not', () => {
  expect(found('linux', { SAMPAN_BROWSER: '/opt/x', SAMPAN_CHROMIUM: '/opt/y' })).toBe('/opt/x');
  expect(found('linux', { SAMPAN_CHROMIUM: '/opt/y' })).toBe('/opt/y');
});

it('looks along the PATH on Linux, Chrome first', () => {
  const environment = { PATH: '/usr/local/bin:/usr/bin', SAMPAN_BROWSER: '' };
  expect(found('linux', environment, '/usr/bin/chromium', '/usr/bin/google-chrome')).toBe(
    '/usr/bin/google-chrome',
  );
  expect(found('linux', environment, '/usr/bin/microsoft-edge')).toBe('/usr/bin/microsoft-edge');
  expect(found('linux', environment, '/snap/bin/chromium')).toBeUndefined();
  expect(found('linux', {}, '/usr/bin/chromium')).toBeUndefined();
});

it('looks among the applications of a Mac, also those of the user', () => {
  const own = '/Users/me/Applications/Chromium.app/Contents/MacOS/Chromium';
  const edge = '/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge';
  expect(found('darwin', { HOME: '/Users/me' }, own, edge)).toBe(edge);
  expect(found('darwin', { HOME: '/Users/me' }, own)).toBe(own);
});

it('looks in the program folders of Windows', () => {
  const edge = '/pf86/Microsoft/Edge/Application/msedge.exe';
  expect(found('win32', { PROGRAMFILES: '/pf', 'PROGRAMFILES(X86)': '/pf86' }, edge)).toBe(edge);
});
