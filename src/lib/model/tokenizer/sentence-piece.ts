/**
 * SentencePiece's tokens as llama.cpp makes them: letters are joined to the token with the best score, again and again.
 * This is not the search for the best sum that the library knows as Unigram, so it is written out here.
 */
import type { EncodeFragment } from './tokenizer.ts';
import { spaceMark, type Vocabulary } from './vocabulary.ts';

export function sentencePieceEncoder(vocabulary: Vocabulary): EncodeFragment {
  return (text, follows) => {
    const prefix = vocabulary.spacePrefix && follows === 'special' ? ' ' : '';
    return new Pieces(`${prefix}${text}`.replaceAll(' ', spaceMark), vocabulary).merged();
  };
}

/** Two neighbours that are a token together. */
interface Pair {
  readonly left: number;
  readonly right: number;
  readonly text: string;
  readonly score: number;
}

class Pieces {
  readonly #vocabulary: Vocabulary;
  readonly #queue = new PairQueue();
  /** Empty once it has been joined to the piece before. */
  readonly #texts: string[];
  readonly #next: number[];
  readonly #previous: number[];

  constructor(text: string, vocabulary: Vocabulary) {
    this.#vocabulary = vocabulary;
    this.#texts = Array.from(text);
    this.#next = this.#texts.map((_, index) => index + 1);
    this.#previous = this.#texts.map((_, index) => index - 1);
    for (let right = 1; right < this.#texts.length; right++) this.#offer(right - 1, right);
  }

  merged(): number[] {
    for (let pair = this.#queue.take(); pair; pair = this.#queue.take()) this.#join(pair);
    return this.#texts.flatMap((text) => (text === '' ? [] : this.#idsOf(text)));
  }

  #join({ left, right, text }: Pair): void {
    const [first = '', second = ''] = [this.#texts[left], this.#texts[right]];
    // Either has changed since the pair was seen.
    if (first === '' || second === '' || first + second !== text) return;
    this.#texts[left] = text;
    this.#texts[right] = '';
    const next = this.#next[right] ?? this.#texts.length;
    this.#next[left] = next;
    this.#previous[next] = left;
    this.#offer(this.#previous[left] ?? -1, left);
    this.#offer(left, next);
  }

  #offer(left: number, right: number): void {
    const [first, second] = [this.#texts[left], this.#texts[right]];
    if (first === undefined || second === undefined) return;
    const text = first + second;
    const id = this.#vocabulary.ids.get(text);
    if (id !== undefined) this.#queue.add({ left, right, text, score: this.#vocabulary.scores[id] ?? 0 });
  }

  /** A letter that is no token is its bytes. */
  #idsOf(text: string): number[] {
    const { ids, unknownId = 0 } = this.#vocabulary;
    const id = ids.get(text);
    if (id !== undefined) return [id];
    const bytes = [...new TextEncoder().encode(text)];
    return bytes.map((byte) => ids.get(byteToken(byte)) ?? ids.get(String.fromCharCode(byte)) ?? unknownId);
  }
}

function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/** A heap: the best score first, of equals the leftmost. */
class PairQueue {
  readonly #heap: Pair[] = [];

  add(pair: Pair): void {
    let at = this.#heap.length;
    this.#heap.push(pair);
    for (let above = (at - 1) >> 1; at > 0; above = (at - 1) >> 1) {
      const parent = this.#heap[above];
      if (!parent || !isBefore(pair, parent)) break;
      this.#heap[at] = parent;
      at = above;
    }
    this.#heap[at] = pair;
  }

  take(): Pair | undefined {
    const [first] = this.#heap;
    const last = this.#heap.pop();
    if (last && this.#heap.length > 0) this.#sink(last);
    return first;
  }

  #sink(pair: Pair): void {
    let at = 0;
    for (;;) {
      const [left, right] = [this.#heap[2 * at + 1], this.#heap[2 * at + 2]];
      if (!left) break;
      const [better, child] = right && isBefore(right, left) ? [right, 2 * at + 2] : [left, 2 * at + 1];
      if (!isBefore(better, pair)) break;
      this.#heap[at] = better;
      at = child;
    }
    this.#heap[at] = pair;
  }
}

function isBefore(a: Pair, b: Pair): boolean {
  return a.score > b.score || (a.score === b.score && a.left < b.left);
}
