/** llama.cpp's own log lines. The only place where a C++ failure says what it was. */

export interface NativeLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly text: string;
}

/** Shaped as wllama wants its logger. INFO lines of llama.cpp arrive at `debug`. */
export class NativeLog {
  readonly #write: (line: NativeLine) => void;
  #lastError: string | undefined;

  constructor(write: (line: NativeLine) => void) {
    this.#write = write;
  }

  /** The last error line since the previous call; the native line always precedes the rejection it explains. */
  takeError(): string | undefined {
    const error = this.#lastError;
    this.#lastError = undefined;
    return error;
  }

  readonly debug = (...parts: unknown[]): void => void this.#line('debug', parts);
  readonly log = (...parts: unknown[]): void => void this.#line('info', parts);
  readonly warn = (...parts: unknown[]): void => void this.#line('warn', parts);
  readonly error = (...parts: unknown[]): void => {
    const text = this.#line('error', parts);
    // JavaScript's own echo of the failure follows the native line and would hide it.
    if (!/^(RangeError|Stack trace)/.test(text)) this.#lastError = text;
  };

  #line(level: NativeLine['level'], parts: readonly unknown[]): string {
    const text = parts.map(String).join(' ').trimEnd();
    this.#write({ level, text });
    return text;
  }
}
