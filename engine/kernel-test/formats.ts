/** The formats that have a kernel: ggml's number, weights and bytes in a block, and where its 16 bit scales stand. */
export interface Format {
  readonly name: string;
  readonly type: number;
  readonly block: number;
  readonly bytes: number;
  readonly scalesAt: readonly number[];
}

const format = (name: string, type: number, block: number, bytes: number, ...scalesAt: number[]): Format => ({
  name,
  type,
  block,
  bytes,
  scalesAt,
});

export const formats: readonly Format[] = [
  format('Q4_0', 2, 32, 18, 0),
  format('Q4_1', 3, 32, 20, 0, 2),
  format('Q5_0', 6, 32, 22, 0),
  format('Q5_1', 7, 32, 24, 0, 2),
  format('Q8_0', 8, 32, 34, 0),
  format('IQ4_NL', 20, 32, 18, 0),
  format('Q2_K', 10, 256, 84, 80, 82),
  format('Q3_K', 11, 256, 110, 108),
  format('Q4_K', 12, 256, 144, 0, 2),
  format('Q5_K', 13, 256, 176, 0, 2),
  format('Q6_K', 14, 256, 210, 208),
  format('IQ4_XS', 23, 256, 136, 0),
];

export const half = format('F16', 1, 1, 2);
