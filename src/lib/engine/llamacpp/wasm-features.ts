/** What of WebAssembly this browser has, found out by showing it the smallest module that needs it. */

/** As `static/engine/manifest.json` names them. */
export const wasmFeatures = ['simd', 'relaxed-simd', 'threads', 'wasm-exceptions'] as const;
export type WasmFeature = (typeof wasmFeatures)[number];

const header = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
/** One function that takes nothing and gives a vector, and its body. */
const vectorFunction = (code: readonly number[]) => [
  ...header,
  ...[1, 5, 1, 0x60, 0, 1, 0x7b],
  ...[3, 2, 1, 0],
  ...[10, code.length + 4, 1, code.length + 2, 0, ...code, 0x0b],
];
const splatOne = [0x41, 1, 0xfd, 0x0f];

const modules: Readonly<Partial<Record<WasmFeature, readonly number[]>>> = {
  simd: vectorFunction(splatOne),
  // i8x16.relaxed_swizzle
  'relaxed-simd': vectorFunction([...splatOne, ...splatOne, 0xfd, 0x80, 2]),
  // A memory that is shared.
  threads: [...header, 5, 4, 1, 3, 1, 1],
  // The first form of exceptions, which all browsers have: try, catch_all.
  'wasm-exceptions': [
    ...header,
    ...[1, 4, 1, 0x60, 0, 0],
    ...[3, 2, 1, 0],
    ...[10, 8, 1, 6, 0, 6, 0x40, 0x19, 0x0b, 0x0b],
  ],
};

const found = new Map<WasmFeature, boolean>();

/** Asked for every request, and found out once. */
export function hasWasmFeature(feature: WasmFeature): boolean {
  const known = found.get(feature);
  if (known !== undefined) return known;
  const module = modules[feature];
  const has = module === undefined || WebAssembly.validate(Uint8Array.from(module));
  found.set(feature, has);
  return has;
}
