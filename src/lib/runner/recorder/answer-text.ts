/** The answer as it comes: pieces with their times, the frames that carry them, and all of it joined. */
import type { RequestFrameJson, RequestJson, RequestPieceJson } from '#lib/model/wire-requests.ts';
import { keepText, maxTextChars } from './texts.ts';

/** More than any context holds. */
const maxPieces = 100_000;
/** Of the frames of a stream, about 16 000 tokens. */
const maxFrameChars = 4 * 1024 * 1024;
const pieceOverheadBytes = 40;

export class AnswerText {
  /** Of an answer that was no stream. */
  body = '';
  readonly #startedMs: number;
  readonly #pieces: RequestPieceJson[] = [];
  readonly #frames: RequestFrameJson[] = [];
  #pieceChars = 0;
  #frameChars = 0;
  #cutFrameChars = 0;
  #cutPieces = 0;

  constructor(startedMs: number) {
    this.#startedMs = startedMs;
  }

  get firstMs(): number | undefined {
    const [first] = this.#pieces;
    return first && this.#startedMs + first.at_ms;
  }

  get timesMs(): readonly number[] {
    return this.#pieces.map(({ at_ms: atMs }) => this.#startedMs + atMs);
  }

  /** About what it takes in storage. */
  get sizeChars(): number {
    // A joined answer is kept beside its pieces.
    const pieces = 2 * this.#pieceChars + this.#pieces.length * pieceOverheadBytes;
    return pieces + this.#frameChars + this.#frames.length * pieceOverheadBytes + this.body.length;
  }

  add({ type, text }: Pick<RequestPieceJson, 'type' | 'text'>, nowMs: number): void {
    if (this.#pieces.length >= maxPieces || this.#pieceChars >= maxTextChars) {
      this.#cutPieces++;
      return;
    }
    this.#pieceChars += text.length;
    this.#pieces.push({ at_ms: nowMs - this.#startedMs, type, text });
  }

  addFrame(text: string, nowMs: number): void {
    if (this.#frameChars + text.length > maxFrameChars) {
      this.#cutFrameChars += text.length;
      return;
    }
    this.#frameChars += text.length;
    this.#frames.push({ at_ms: nowMs - this.#startedMs, text });
  }

  /** Thinking and answer, for a search. */
  joined(): string {
    return this.#pieces.map(({ text }) => text).join('');
  }

  toJson(): Pick<RequestJson, 'answer' | 'reasoning' | 'response_body' | 'pieces' | 'cut_pieces' | 'frames'> {
    const reasoning = this.#textOf('reasoning');
    return {
      answer: keepText(this.#textOf('text')),
      ...(reasoning !== '' && { reasoning: keepText(reasoning) }),
      response_body: {
        ...keepText(this.body),
        ...(this.#cutFrameChars > 0 && { cut_chars: this.#cutFrameChars }),
      },
      pieces: [...this.#pieces],
      ...(this.#cutPieces > 0 && { cut_pieces: this.#cutPieces }),
      frames: [...this.#frames],
    };
  }

  #textOf(type: RequestPieceJson['type']): string {
    return this.#pieces.flatMap((piece) => (piece.type === type ? [piece.text] : [])).join('');
  }
}

/** A stored record holds the frames of a stream once; whoever reads it also gets them joined. */
export function withJoinedBody(record: RequestJson): RequestJson {
  if (record.frames.length === 0) return record;
  const text = record.frames.map((frame) => frame.text).join('');
  return { ...record, response_body: { ...record.response_body, text } };
}
