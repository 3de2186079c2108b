/** The bytes that a token stands for. */
import { spaceMark, type Vocabulary } from './vocabulary.ts';

const none = new Uint8Array();

export function tokenBytes(vocabulary: Vocabulary): (id: number) => Uint8Array {
  const { spelling, tokens, types } = vocabulary;
  const encoder = new TextEncoder();
  const letters = spelling === 'letters' ? lettersToBytes() : undefined;
  return (id) => {
    const token = tokens[id];
    if (token === undefined) return none;
    if (types[id] === 'byte') return Uint8Array.of(Number.parseInt(token.slice(3, 5), 16));
    if (types[id] !== 'normal') return encoder.encode(token);
    return letters ? bytesOfLetters(token, letters) : encoder.encode(token.replaceAll(spaceMark, ' '));
  };
}

function bytesOfLetters(token: string, letters: ReadonlyMap<string, number>): Uint8Array {
  const bytes = Array.from(token, (letter) => letters.get(letter));
  return bytes.includes(undefined)
    ? new TextEncoder().encode(token)
    : Uint8Array.from(bytes, (byte) => byte ?? 0);
}

/** GPT-2 writes bytes that are no visible letter of Latin-1 as the letters from U+0100 on. */
function lettersToBytes(): ReadonlyMap<string, number> {
  let next = 0x100;
  const letters = Array.from({ length: 256 }, (_, byte): [string, number] => {
    const visible = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    return [String.fromCodePoint(visible ? byte : next++), byte];
  });
  return new Map(letters);
}
