import { expect, it } from 'vitest';
import { browserArguments } from './arguments.ts';

const wish = { url: 'http://localhost:1', profile: '/p', platform: 'linux', user: 'other' } as const;

it('opens the page last, in the profile, without a window', () => {
  const args = browserArguments(wish);
  expect(args.at(-1)).toBe('http://localhost:1');
  expect(args).toEqual(expect.arrayContaining(['--headless=new', '--user-data-dir=/p']));
});

it('gives up the sandbox for root alone', () => {
  expect(browserArguments(wish)).not.toContain('--no-sandbox');
  expect(browserArguments({ ...wish, user: 'root' })).toContain('--no-sandbox');
});

it('asks for Vulkan where WebGPU runs on it', () => {
  expect(browserArguments(wish)).toContain('--enable-features=Vulkan');
  expect(browserArguments({ ...wish, platform: 'darwin' })).not.toContain('--enable-features=Vulkan');
});
