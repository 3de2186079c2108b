/** Counters and histograms in Prometheus' text exposition format, version 0.0.4. */

export type Labels = Readonly<Record<string, string>>;

export const prometheusType = 'text/plain; version=0.0.4; charset=utf-8';

export class Counter {
  readonly #name: string;
  readonly #help: string;
  readonly #values = new Map<string, number>();

  constructor(name: string, help: string) {
    this.#name = name;
    this.#help = help;
  }

  add(labels: Labels, by: number): void {
    const key = labelText(labels);
    this.#values.set(key, (this.#values.get(key) ?? 0) + by);
  }

  toText(): string {
    const lines = [...this.#values].map(([labels, value]) => `${this.#name}{${labels}} ${value}\n`);
    return head(this.#name, this.#help, 'counter') + lines.join('');
  }
}

interface Spread {
  /** One more than there are bounds: the last counts what is above all. */
  readonly counts: number[];
  sum: number;
}

export class Histogram {
  readonly #name: string;
  readonly #help: string;
  readonly #bounds: readonly number[];
  readonly #spreads = new Map<string, Spread>();

  /** `bounds` grow. */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.#name = name;
    this.#help = help;
    this.#bounds = bounds;
  }

  add(labels: Labels, value: number): void {
    const spread = this.#spreadOf(labelText(labels));
    const found = this.#bounds.findIndex((bound) => value <= bound);
    const at = found < 0 ? this.#bounds.length : found;
    spread.counts[at] = (spread.counts[at] ?? 0) + 1;
    spread.sum += value;
  }

  toText(): string {
    const series = [...this.#spreads].map(([labels, spread]) => this.#series(labels, spread));
    return head(this.#name, this.#help, 'histogram') + series.join('');
  }

  #spreadOf(key: string): Spread {
    const known = this.#spreads.get(key);
    if (known) return known;
    const made = { counts: [...this.#bounds, Infinity].map(() => 0), sum: 0 };
    this.#spreads.set(key, made);
    return made;
  }

  #series(labels: string, { counts, sum }: Spread): string {
    let upTo = 0;
    const buckets = counts.map((count, index) => {
      upTo += count;
      return `${this.#name}_bucket{${labels},le="${this.#bounds[index] ?? '+Inf'}"} ${upTo}\n`;
    });
    return `${buckets.join('')}${this.#name}_sum{${labels}} ${sum}\n${this.#name}_count{${labels}} ${upTo}\n`;
  }
}

export interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

export function gauge(name: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(
    ({ labels, value }) => `${name}${labels ? `{${labelText(labels)}}` : ''} ${value}\n`,
  );
  return head(name, help, 'gauge') + lines.join('');
}

function head(name: string, help: string, type: 'counter' | 'gauge' | 'histogram'): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`;
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(',');
}

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}
