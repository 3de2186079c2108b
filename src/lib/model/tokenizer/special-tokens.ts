/** Finds the tokens in a text that stand for themselves, before the rest is cut into pieces. */
import type { Vocabulary } from './vocabulary.ts';

export class SpecialTokens {
  /** The longest first: one may begin as another. */
  readonly #tokens: readonly { readonly id: number; readonly text: string; readonly userDefined: boolean }[];

  constructor({ tokens, types }: Pick<Vocabulary, 'tokens' | 'types'>) {
    const special = tokens.flatMap((text, id) => {
      const type = types[id];
      if (type !== 'control' && type !== 'unknown' && type !== 'user-defined') return [];
      return text === '' ? [] : [{ id, text, userDefined: type === 'user-defined' }];
    });
    this.#tokens = special.toSorted((a, b) => b.text.length - a.text.length);
  }

  /** Their ids, and the texts between them. A user's own tokens count even where special ones are only text. */
  split(text: string, which: 'all' | 'user-defined'): readonly (string | number)[] {
    let parts: (string | number)[] = text === '' ? [] : [text];
    for (const { id, text: token, userDefined } of this.#tokens) {
      if ((which === 'all' || userDefined) && text.includes(token)) {
        parts = parts.flatMap((part) => (typeof part === 'number' ? [part] : cut(part, token, id)));
      }
    }
    return parts;
  }
}

function cut(text: string, token: string, id: number): (string | number)[] {
  const pieces = text.split(token).flatMap((piece, index) => (index === 0 ? [piece] : [id, piece]));
  return pieces.filter((piece) => piece !== '');
}
