/** The kernels as a WASM module of their own, with the buffers that its functions work on. */
export interface KernelExports {
  readonly memory: WebAssembly.Memory;
  prepare(): void;
  floats_at(): number;
  weights_at(row: number): number;
  results_at(): number;
  set_weights(type: number, row: number, n: number): void;
  set_activations(type: number, column: number, n: number): void;
  set_scalar_activations(type: number, column: number, n: number): void;
  get_weights(type: number, row: number, n: number): void;
  get_activations(type: number, column: number, n: number): void;
  kernel_dot(type: number, row: number, column: number, n: number): number;
  scalar_dot(type: number, row: number, column: number, n: number): number;
  product(type: number, rows: number, columns: number, n: number): void;
  exponentials(n: number, largest: number): number;
  silu(n: number): void;
  halves_to_floats(n: number): void;
  floats_to_halves(n: number): void;
  floats_to_halves_scalar(n: number): void;
  attention_at(which: number): number;
  attend(
    keyType: number,
    valueType: number,
    dk: number,
    dv: number,
    queries: number,
    heads: number,
    cacheHeads: number,
    keys: number,
    threads: number,
    scale: number,
    maxBias: number,
    softcap: number,
    masked: boolean,
    sunk: boolean,
  ): number;
}

export class KernelModule {
  readonly call: KernelExports;

  private constructor(exports: KernelExports) {
    this.call = exports;
    exports.prepare();
  }

  static async from(wasm: BufferSource): Promise<KernelModule> {
    const { instance } = await WebAssembly.instantiate(wasm, {});
    return new KernelModule(instance.exports as unknown as KernelExports);
  }

  get floats(): Float32Array {
    return new Float32Array(this.call.memory.buffer, this.call.floats_at(), 4096);
  }

  get results(): Float32Array {
    return new Float32Array(this.call.memory.buffer, this.call.results_at(), 81);
  }

  /** Queries, keys, values, mask, sinks and results of an attention, in this order. */
  attention(which: number): Float32Array {
    return new Float32Array(this.call.memory.buffer, this.call.attention_at(which), 1 << 16);
  }

  weights(row: number, bytes: number): Uint8Array {
    return new Uint8Array(this.call.memory.buffer, this.call.weights_at(row), bytes);
  }

  /** A row of weights that is these numbers, as near as the format can say them. */
  setWeights(type: number, row: number, numbers: Float32Array): void {
    this.floats.set(numbers);
    this.call.set_weights(type, row, numbers.length);
  }

  /** A column of activations, quantised by the kernel. */
  setActivations(type: number, column: number, numbers: Float32Array): void {
    this.floats.set(numbers);
    this.call.set_activations(type, column, numbers.length);
  }

  setScalarActivations(type: number, column: number, numbers: Float32Array): void {
    this.floats.set(numbers);
    this.call.set_scalar_activations(type, column, numbers.length);
  }

  getWeights(type: number, row: number, n: number): Float32Array {
    this.call.get_weights(type, row, n);
    return this.floats.slice(0, n);
  }

  getActivations(type: number, column: number, n: number): Float32Array {
    this.call.get_activations(type, column, n);
    return this.floats.slice(0, n);
  }
}
