import { beforeEach, describe, expect, it } from 'vitest';
import { Markdown } from './markdown.ts';

let markdown: Markdown;
beforeEach(() => {
  markdown = new Markdown(window);
});

function html(text: string): string {
  const page = document.createElement('div');
  for (const block of markdown.blocks(text)) {
    page.append(block.kind === 'markup' ? markdown.nodes(block.markup) : `[code ${block.language}]`);
  }
  return page.innerHTML;
}

describe('what a model must not do to the page', () => {
  it.each([
    ['a script', '<script>alert(1)</script>'],
    ['an event handler', '<img src=x onerror="alert(1)">'],
    ['a handler on allowed markup', '<b onclick="alert(1)">bold</b>'],
    ['an inline style', '<p style="position:fixed;inset:0">x</p>'],
    ['a frame', '<iframe src="https://example.com"></iframe>'],
    ['a form', '<form action="https://example.com"><input name="password"></form>'],
    ['an svg script', '<svg><script>alert(1)</script></svg>'],
    ['a style sheet', '<style>body{display:none}</style>'],
    ['a class of the page', '<p class="scrim">x</p>'],
  ])('drops %s', (_name, text) => {
    const found = document.createElement('div');
    found.innerHTML = html(text);
    expect(
      found.querySelector(
        'script, img, iframe, form, input, svg, style, [class], [style], [onclick], [onerror]',
      ),
    ).toBe(null);
  });

  it.each([
    ['javascript:alert(1)'],
    ['JaVaScRiPt:alert(1)'],
    ['java&#10;script:alert(1)'],
    ['data:text/html,<script>alert(1)</script>'],
    ['vbscript:x'],
    ['/catalog'],
  ])('links nowhere with %s', (target) => {
    expect(html(`[here](<${target}>)`)).not.toMatch(/href=/);
    expect(html(`<a href="${target}">here</a>`)).not.toMatch(/href=/);
  });

  it('fetches no image', () => {
    expect(html('![secret](https://example.com/?q=secret)')).not.toMatch(/<img/);
  });
});

it('opens links in a new tab that cannot reach back', () => {
  const found = document.createElement('div');
  found.innerHTML = html('See [the docs](https://example.com "Docs").');
  const link = found.querySelector('a');
  expect(link?.getAttribute('href')).toBe('https://example.com');
  expect(link?.getAttribute('target')).toBe('_blank');
  expect(link?.getAttribute('rel')).toBe('noopener noreferrer');
});

it('splits the text into blocks, code apart', () => {
  const blocks = markdown.blocks('Intro\n\n```sql\nSELECT 1\n```\n\nEnd');
  expect(blocks.map(({ kind }) => kind)).toEqual(['markup', 'code', 'markup']);
  expect(blocks[1]).toEqual({ kind: 'code', language: 'sql', code: 'SELECT 1' });
});

it('shows a fence that is still open as code', () => {
  expect(markdown.blocks('```js\nlet a').at(-1)).toEqual({ kind: 'code', language: 'js', code: 'let a' });
});

it('puts headings below the one of the page', () => {
  expect(html('# Title')).toBe('<h2>Title</h2>');
});
