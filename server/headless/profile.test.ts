import { expect, it } from 'vitest';
import { profileFolder } from './profile.ts';

it.each([
  ['linux', { HOME: '/home/me' }, '/home/me/.local/share/sampan/profile'],
  ['linux', { HOME: '/home/me', XDG_DATA_HOME: '/data' }, '/data/sampan/profile'],
  ['darwin', { HOME: '/Users/me' }, '/Users/me/Library/Application Support/Sampan/profile'],
  ['win32', { LOCALAPPDATA: '/local' }, '/local/Sampan/profile'],
  ['linux', { SAMPAN_PROFILE: '/own', HOME: '/home/me' }, '/own'],
])('stands where %s keeps data: %j', (platform, environment, folder) => {
  expect(profileFolder(platform, environment)).toBe(folder);
});

it('needs a home', () => {
  expect(() => profileFolder('linux', {})).toThrow(expect.objectContaining({ code: 'invalid_request' }));
});
