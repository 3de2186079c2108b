/** Parts a model's thoughts from its answer, so that what it thinks of calling is no call. Text comes in any cuts. */

export interface SplitText {
  readonly kind: 'thought' | 'answer';
  readonly text: string;
}

const open = '<think>';
const close = '</think>';

export class ThoughtSplitter {
  #state: 'start' | 'thought' | 'pause' | 'answer';
  #held = '';

  /** A template may have opened the thoughts already. */
  constructor(prompt: string) {
    this.#state = /<think>\s*$/.test(prompt) ? 'thought' : 'start';
  }

  /** Whether what comes next is a thought. */
  get thinking(): boolean {
    return this.#state === 'thought';
  }

  add(text: string): readonly SplitText[] {
    this.#held += text;
    if (this.#state === 'start') this.#begin();
    if (this.#state === 'thought') return this.#think();
    return this.#state === 'start' ? [] : this.#answer();
  }

  /** What was held back when nothing more comes. */
  end(): readonly SplitText[] {
    const held = this.#held;
    this.#held = '';
    if (this.#state === 'pause') return [];
    return this.#state === 'thought' ? part('thought', held.trimEnd()) : part('answer', held);
  }

  #begin(): void {
    const trimmed = this.#held.trimStart();
    if (trimmed.startsWith(open)) {
      this.#held = trimmed.slice(open.length);
      this.#state = 'thought';
    } else if (!open.startsWith(trimmed)) this.#state = 'answer';
  }

  #think(): readonly SplitText[] {
    const at = this.#held.indexOf(close);
    if (at < 0) return part('thought', this.#take(this.#held.length - unsure(this.#held)));
    const thought = this.#take(at).trimEnd();
    this.#take(close.length);
    this.#state = 'pause';
    return [...part('thought', thought), ...this.#answer()];
  }

  /** The blank lines between thought and answer belong to neither. */
  #answer(): readonly SplitText[] {
    if (this.#state === 'pause') this.#held = this.#held.trimStart();
    if (this.#held !== '') this.#state = 'answer';
    return part('answer', this.#take(this.#held.length));
  }

  #take(length: number): string {
    const text = this.#held.slice(0, length);
    this.#held = this.#held.slice(length);
    return text;
  }
}

/** How many characters at the end may be the space before `</think>`, or a part of it. */
function unsure(text: string): number {
  let length = Math.min(close.length - 1, text.length);
  while (length > 0 && !close.startsWith(text.slice(-length))) length--;
  return text.length - text.slice(0, text.length - length).trimEnd().length;
}

function part(kind: SplitText['kind'], text: string): readonly SplitText[] {
  return text === '' ? [] : [{ kind, text }];
}
