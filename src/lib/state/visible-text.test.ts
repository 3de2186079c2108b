import fc from 'fast-check';
import { expect, it } from 'vitest';
import { visibleText } from './visible-text.ts';

it.each([
  ['an ANSI escape', '\u001b[31mred\u001b[0m', '␛[31mred␛[0m'],
  ['control characters', 'a\0b\rc\u007fd\u009be', 'a␀b␍c␡d⟨U+009B⟩e'],
  ['a right-to-left override', 'file\u202egpj.exe', 'file⟨U+202E⟩gpj.exe'],
  ['isolates and marks', '\u2066a\u2069\u200f', '⟨U+2066⟩a⟨U+2069⟩⟨U+200F⟩'],
  ['zero-width spaces and byte order marks', 'a\u200bb\ufeff', 'a⟨U+200B⟩b⟨U+FEFF⟩'],
  ['line separators', 'a\u2028b', 'a⟨U+2028⟩b'],
  ['tags', 'a\u{e0041}', 'a⟨U+E0041⟩'],
  ['half a surrogate pair', 'a\ud83d!', 'a⟨U+D83D⟩!'],
])('shows %s', (_name, text, shown) => {
  expect(visibleText(text)).toBe(shown);
});

it.each(['plain <b>text</b>', 'tab\tand\nline', '模型', 'שלום', '👩‍🔬', 'می‌خواهم', 'e\u0301'])(
  'leaves %j as it is',
  (text) => {
    expect(visibleText(text)).toBe(text);
  },
);

it('shows what it has shown as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(visibleText(visibleText(text))).toBe(visibleText(text));
    }),
  );
});
