/** Follows a JSON object that comes in pieces: lenient in what stands in it, strict in where it ends. */

export type ScanResult =
  | { readonly kind: 'open' }
  /** `length` characters of this piece belong to the object, the last of them closes it. */
  | { readonly kind: 'closed'; readonly length: number }
  /** The character after `length` can be in no object. */
  | { readonly kind: 'broken'; readonly length: number };

export class ObjectScanner {
  #depth: number;
  #quoted = false;
  #escaped = false;

  /** `depth` objects are open already. */
  constructor(depth = 0) {
    this.#depth = depth;
  }

  scan(piece: string): ScanResult {
    for (let index = 0; index < piece.length; index++) {
      const character = piece.charAt(index);
      if (this.#quoted) this.#inText(character);
      else if (character === '<') return { kind: 'broken', length: index };
      else if (this.#outsideText(character)) return { kind: 'closed', length: index + 1 };
    }
    return { kind: 'open' };
  }

  #inText(character: string): void {
    if (this.#escaped) this.#escaped = false;
    else if (character === '\\') this.#escaped = true;
    else if (character === '"') this.#quoted = false;
  }

  /** Whether the object is closed with it. */
  #outsideText(character: string): boolean {
    if (character === '"') this.#quoted = true;
    else if (character === '{' || character === '[') this.#depth++;
    else if (character === '}' || character === ']') this.#depth--;
    else return false;
    return this.#depth <= 0 && !this.#quoted;
  }
}
