import { expect, it } from 'vitest';
import { readSource } from './source.ts';

const url = 'http://localhost:12434/v1/chat/completions';
const of = (headers: Record<string, string>) => readSource({ url, headers: new Headers(headers) });

it('names the page behind the bridge window', () => {
  const bridge = { 'x-sampan-source': 'site', 'x-sampan-origin': 'http://site.example' };
  expect(of(bridge)).toEqual({ kind: 'site', name: 'http://site.example' });
});

it('believes only the bridge window about a page', () => {
  const said = {
    'x-sampan-source': 'program',
    'x-sampan-origin': 'http://site.example',
    'user-agent': 'curl/8',
  };
  expect(of(said)).toEqual({ kind: 'program', name: 'curl/8' });
});
