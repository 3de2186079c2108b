/** Parses `WWW-Authenticate` (RFC 9110, section 11.6.1), several challenges in one header included. */

export interface Challenge {
  /** Lowercase: `bearer`, `basic`. */
  readonly scheme: string;
  /** By lowercase name. */
  readonly parameters: ReadonlyMap<string, string>;
}

const maxHeaderLength = 8192;

/** Reads what makes sense and skips the rest; an untrusted header never throws. */
export function parseChallenges(header: string): readonly Challenge[] {
  const scanner = new Scanner(header.slice(0, maxHeaderLength));
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  while (!scanner.atEnd) {
    const name = scanner.take(/[!#$%&'*+.^_`|~0-9A-Za-z-]+/y);
    if (name === undefined) {
      scanner.skip();
      continue;
    }
    const value = scanner.parameterValue();
    const current = challenges.at(-1);
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    else if (current && !current.parameters.has(name.toLowerCase())) {
      current.parameters.set(name.toLowerCase(), value);
    }
    if (value === undefined) scanner.skipToken68();
  }
  return challenges;
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** `pattern` must be sticky. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (!match) return undefined;
    this.#at += match[0].length;
    return match[0];
  }

  skip(): void {
    this.#at++;
  }

  /** What follows `=`, or undefined when the name before was a scheme. */
  parameterValue(): string | undefined {
    if (this.take(/[ \t]*=[ \t]*/y) === undefined) return undefined;
    const quoted = this.take(/"(?:[^"\\]|\\.)*"?/y);
    if (quoted === undefined) return this.take(/[^\s,"]*/y) ?? '';
    return quoted.replace(/^"|"$/g, '').replace(/\\(.)/g, '$1');
  }

  /** The token of schemes such as `Negotiate YII=`, which is no parameter. */
  skipToken68(): void {
    this.take(/[ \t]+[A-Za-z0-9._~+/-]+=*[ \t]*(?=,|$)/y);
  }
}
