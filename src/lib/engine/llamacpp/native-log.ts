/** llama.cpp's own log lines. The only place where a C++ failure says what it was. */

export interface NativeLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
}

const maxErrors = 20;

/** Shaped as wllama wants its logger. INFO lines of llama.cpp arrive at `debug`. */
export class NativeLog {
  readonly #write: (line: NativeLine) => void;
  #errors: string[] = [];

  constructor(write: (line: NativeLine) => void) {
    this.#write = write;
  }

  /** The error lines since the previous call; the native line always precedes the rejection it explains. */
  takeErrors(): readonly string[] {
    const errors = this.#errors;
    this.#errors = [];
    return errors;
  }

  /** What explains the rejection that has just come. */
  get lastError(): string | undefined {
    return this.#errors.at(-1);
  }

  readonly debug = (...parts: unknown[]): void => void this.#line('debug', parts);
  readonly log = (...parts: unknown[]): void => void this.#line('info', parts);
  readonly warn = (...parts: unknown[]): void => void this.#line('warn', parts);
  readonly error = (...parts: unknown[]): void => {
    const text = this.#line('error', parts);
    // JavaScript's own echo of the failure follows the native line and says nothing.
    if (/^(RangeError|Stack trace)/.test(text)) return;
    this.#errors = [...this.#errors.slice(1 - maxErrors), text];
  };

  #line(level: NativeLine['level'], parts: readonly unknown[]): string {
    // The package logs whole objects too, a model's metadata for one; they are for a console.
    const text = parts.filter(isText).map(String).join(' ').trimEnd();
    if (text !== '') this.#write({ level, text });
    return text;
  }
}

function isText(part: unknown): boolean {
  return typeof part !== 'object' || part instanceof Error;
}
