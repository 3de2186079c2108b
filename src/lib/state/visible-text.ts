/** Text from outside as it may be shown: what would be invisible, or would reorder what is around it, becomes visible. */

/**
 * Control characters but tab and line feed; soft hyphens, zero-width spaces and joins of words, marks and overrides of
 * direction, line and paragraph separators; tags, which no font draws; halves of surrogate pairs. The joiners of emoji
 * and of Arabic script stay.
 */
const unseen =
  // eslint-disable-next-line no-control-regex
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/** An escape becomes “␛”, other control characters their symbol too, the rest its number: “⟨U+202E⟩”. */
export function visibleText(text: string): string {
  return text.replace(unseen, symbolOf);
}

function symbolOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return '␡';
  return `⟨U+${code.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}
