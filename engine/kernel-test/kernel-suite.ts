/** What every build of the kernels must do, in Node and in the browser. */
import { beforeAll, describe, expect, test } from 'vitest';
import { describeAttention } from './attention-suite';
import { formats, half, type Format } from './formats';
import { KernelModule } from './kernel-module';
import { noise, random } from './noise';

export function describeKernels(name: string, wasm: () => Promise<BufferSource>): void {
  describe(`kernels, ${name}`, () => {
    let kernels: KernelModule;
    beforeAll(async () => {
      kernels = await KernelModule.from(await wasm());
    });

    describe.each([...formats, half])('$name', (format) => {
      test.each([1, 2, 3, 7, 16])('is the scalar product, of %i blocks', (blocks) => {
        const n = blocks * format.block;
        kernels.setWeights(format.type, 0, noise(n, 0.1));
        kernels.setActivations(format.type, 0, noise(n, 4));
        expectExact(kernels, format, n);
      });

      test('is as near to the unrounded product as the scalar code', () => {
        const n = 2048;
        const errors = { kernel: 0, scalar: 0, ofFloats: 0 };
        for (let row = 0; row < 8; row++) {
          const activations = noise(n, 4);
          kernels.setWeights(format.type, 0, noise(n, 0.1));
          const weights = kernels.getWeights(format.type, 0, n);
          const { sum: truth, size } = product(weights, activations);
          errors.ofFloats += (size * 1e-7) ** 2;
          kernels.setActivations(format.type, 0, activations);
          errors.kernel += (kernels.call.kernel_dot(format.type, 0, 0, n) - truth) ** 2;
          kernels.setScalarActivations(format.type, 0, activations);
          errors.scalar += (kernels.call.scalar_dot(format.type, 0, 0, n) - truth) ** 2;
        }
        expect(errors.kernel).toBeLessThanOrEqual(errors.scalar * 1.02 + errors.ofFloats);
      });

      test.each([
        ['zeros', 0],
        ['numbers below the smallest normal one', 1e-41],
        ['numbers too small for a scale of 16 bits', 1e-9],
        ['large numbers', 3000],
      ])('takes %s', (_, size) => {
        const n = 2 * Math.max(format.block, 32);
        kernels.setWeights(format.type, 0, noise(n, Math.min(size, 1)));
        kernels.setActivations(format.type, 0, noise(n, size));
        expectExact(kernels, format, n);
      });

      const short = 3 * Math.max(format.block, 32);
      test.each([
        [1, 1, short],
        [3, 1, short],
        [9, 1, short],
        [4, 4, short],
        [5, 9, short],
        [9, 7, short],
        [9, 1, 1280],
        [8, 9, 1280],
        [4, 4, 3072],
      ])('gives %i rows times %i columns of %i what each pair gives', (rows, columns, n) => {
        for (let row = 0; row < rows; row++) kernels.setWeights(format.type, row, noise(n, 0.1));
        for (let column = 0; column < columns; column++)
          kernels.setActivations(format.type, column, noise(n, 4));
        kernels.call.product(format.type, rows, columns, n);
        const together = [...kernels.results.slice(0, rows * columns)];
        const apart = together.map((_, i) =>
          kernels.call.kernel_dot(format.type, i % rows, Math.floor(i / rows), n),
        );
        // Floats that are added in another order: a few of their last places, of sums that reach about this far.
        const size = 0.1 * 4 * Math.sqrt(n);
        for (const [i, value] of apart.entries()) {
          expect(Math.abs((together[i] ?? NaN) - value)).toBeLessThan(size * 2 ** -22);
        }
      });
    });

    test.each([1, 3, 5, 8, 13, 1021])('F16 takes rows of %i', (n) => {
      kernels.setWeights(half.type, 0, noise(n, 1));
      kernels.setActivations(half.type, 0, noise(n, 1));
      expectExact(kernels, half, n);
    });

    describe.each(formats)('$name, whatever the file holds', (format) => {
      const n = 4 * format.block;
      test.each([0x00, 0x7f, 0x80, 0xff])(
        'bytes of %i and activations that are all as large as can be',
        (byte) => {
          for (const sign of [1, -1]) {
            fillWeights(kernels, format, n, () => byte);
            kernels.setActivations(format.type, 0, new Float32Array(n).fill(3 * sign));
            expectExact(kernels, format, n);
          }
        },
      );

      test('random bytes', () => {
        for (let round = 0; round < 6; round++) {
          fillWeights(kernels, format, n, () => Math.floor(random() * 256));
          kernels.setActivations(format.type, 0, noise(n, 4));
          expectExact(kernels, format, n);
        }
      });

      test('a scale that is infinite or not a number gives what the scalar code gives', () => {
        for (const scale of [0x7c00, 0x7e00]) {
          fillWeights(kernels, format, n, () => 0x11, scale);
          kernels.setActivations(format.type, 0, noise(n, 4));
          const scalar = kernels.call.scalar_dot(format.type, 0, 0, n);
          expect(Number.isFinite(scalar)).toBe(false);
          expect(Number.isFinite(kernels.call.kernel_dot(format.type, 0, 0, n))).toBe(false);
        }
      });
    });

    test('halves of every kind become the same floats', () => {
      for (let from = 0; from < 0x10000; from += 4096) {
        const bits = Uint16Array.from({ length: 4096 }, (_, i) => from + i);
        kernels.weights(0, 8192).set(new Uint8Array(bits.buffer));
        kernels.call.halves_to_floats(4096);
        const floats = kernels.floats;
        expect(bits.findIndex((half, i) => !Object.is(floats[i], halfToNumber(half)))).toBe(-1);
      }
    });

    test('floats of every size become the halves of the scalar code', () => {
      const numbers = Float32Array.from({ length: 4096 }, () => (random() - 0.5) * 2 ** (random() * 50 - 30));
      numbers.set([
        0,
        -0,
        65504,
        65519.996,
        65520,
        1e30,
        Infinity,
        -Infinity,
        2 ** -24,
        2 ** -25,
        6.1e-5,
        1e-45,
      ]);
      const halves = () => new Uint16Array(kernels.weights(0, 8192).slice().buffer);
      kernels.floats.set(numbers);
      kernels.call.floats_to_halves(4096);
      const quick = halves();
      kernels.call.floats_to_halves_scalar(4096);
      expect(quick).toEqual(halves());
    });

    test('the exponential is right to two units in the last place', () => {
      const numbers = Float32Array.from({ length: 4096 }, (_, i) => (i / 4096) * 170 - 85);
      kernels.floats.set(numbers);
      kernels.call.exponentials(4096, 0);
      const worst = kernels.floats.reduce((most, value, i) => {
        const truth = Math.exp(numbers[i] ?? 0);
        return Math.max(most, Math.abs(value - truth) / truth);
      }, 0);
      expect(worst).toBeLessThan(2.4e-7);
    });

    test('the exponential has its limits, and adds up', () => {
      kernels.floats.set([-Infinity, -1000, 1000, NaN, 0, 0, 0, 0]);
      expect(kernels.call.exponentials(4, 0)).toBeNaN();
      expect([...kernels.floats.slice(0, 4)]).toEqual([0, 0, Infinity, NaN]);
      kernels.floats.set([5, 5, 5, 5]);
      expect(kernels.call.exponentials(4, 5)).toBe(4);
    });

    test('SiLU is x / (1 + exp(-x))', () => {
      const numbers = [-200, -20, -1, -0.001, 0, 0.5, 3, 200];
      kernels.floats.set(numbers);
      kernels.call.silu(8);
      numbers.forEach((x, i) => expect(kernels.floats[i]).toBeCloseTo(x / (1 + Math.exp(-x)), 5));
    });

    describeAttention(() => kernels);
  });
}

/** The kernel's product of row and column 0, against the same in double precision. */
function expectExact(kernels: KernelModule, format: Format, n: number): void {
  const kernel = kernels.call.kernel_dot(format.type, 0, 0, n);
  const { sum, size } = product(
    kernels.getWeights(format.type, 0, n),
    kernels.getActivations(format.type, 0, n),
  );
  expect(Math.abs(kernel - sum)).toBeLessThanOrEqual(size * tolerance(format) + Number.MIN_VALUE);
}

/** A format with minima rounds the sum of a block's activations to 16 bits. */
function tolerance({ name }: Format): number {
  return name === 'Q4_1' || name === 'Q5_1' ? 1e-3 : 1e-6;
}

function product(a: Float32Array, b: Float32Array): { sum: number; size: number } {
  let sum = 0;
  let size = 0;
  a.forEach((value, i) => {
    const part = value * (b[i] ?? 0);
    sum += part;
    size += Math.abs(part);
  });
  return { sum, size };
}

/** Weights that no quantiser wrote; the scales are small and finite unless one is given. */
function fillWeights(
  kernels: KernelModule,
  format: Format,
  n: number,
  byte: () => number,
  scale = 0x2400,
): void {
  const bytes = (n / format.block) * format.bytes;
  const weights = kernels.weights(0, bytes);
  for (let i = 0; i < bytes; i++) weights[i] = byte();
  for (let block = 0; block < bytes; block += format.bytes) {
    for (const at of format.scalesAt) weights.set([scale & 0xff, scale >> 8], block + at);
  }
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
