/** What a model is computed with on this machine, from the fastest that works down, and why. */
import type { LoadConfig } from '#lib/engine/port.ts';
import { chooseThreads, type Hardware } from '#lib/engine/probe.ts';

/**
 * `default`: 64-bit addresses and the WebGPU backend. `compat`: 32-bit addresses, for browsers without JSPI; it decodes
 * 1.3 times as fast on the CPU, for it needs no bounds checks, and holds as much, for both heaps end at 4 GiB.
 */
export type Build = 'default' | 'compat';

export interface Plan {
  readonly gpu: boolean;
  readonly build: Build;
  readonly threads: number;
  /** For people: "GPU, Radeon" or "CPU, 4 threads". */
  readonly device: string;
  /** Why it is not the rung above; undefined at the top. */
  readonly reason: string | undefined;
}

export interface Browser {
  /** WebAssembly that waits for promises: without it WebGPU cannot be called. */
  readonly jspi: boolean;
  /** Where the build without JSPI is slower still: Firefox. */
  readonly slowCompat: boolean;
}

/** A smaller model computes a token faster than its threads can agree that they have, and than the larger build starts. */
const smallBytes = 32 * 1024 * 1024;

export interface Machine {
  readonly hardware: Hardware;
  readonly browser: Browser;
  /** Of the model's weights. */
  readonly bytes: number;
  /** With a projector: to look at a picture or hear a sound is more work than any token. */
  readonly hasSenses?: boolean;
}

export function planOf(
  { hardware, browser, bytes, hasSenses = false }: Machine,
  wanted: Pick<LoadConfig, 'threads' | 'gpuLayers'> = {},
): Plan {
  const threads = threadsOf(hardware, hasSenses ? Infinity : bytes, wanted.threads);
  const obstacle = gpuObstacle(hardware, browser, wanted.gpuLayers);
  if (obstacle === undefined) {
    const name = hardware.gpu?.name ?? 'GPU';
    return { gpu: true, build: 'default', threads, device: `GPU, ${name}`, reason: undefined };
  }
  const device = threads === 1 ? 'CPU, 1 thread' : `CPU, ${threads} threads`;
  const reason =
    hardware.isolated || obstacle === hardware.pinned
      ? obstacle
      : `${obstacle}; the page is not isolated, so no threads`;
  return { gpu: false, build: cpuBuild(browser, bytes), threads, device, reason };
}

/** "CPU, 4 threads, relaxed SIMD (no WebGPU)"; `build` is our own, where the package's is not used. */
export function describePlan({ device, reason }: Plan, build?: string): string {
  const where = build === undefined ? device : `${device}, ${build}`;
  return reason === undefined ? where : `${where} (${reason})`;
}

/** The package's build that computes on the CPU, for people. */
export function packageWords(browser: Browser): string {
  if (cpuBuild(browser, Infinity) === 'compat') return 'package, Asyncify';
  return browser.jspi ? 'package, JSPI' : 'package';
}

/** llama.cpp's WebGPU backend registers no adapter without shader-f16 and says nothing: it would compute on the CPU. */
function gpuObstacle(hardware: Hardware, { jspi }: Browser, layers: number | undefined): string | undefined {
  if (layers === 0) return 'as configured';
  if (!hardware.gpu?.f16 && hardware.pinned !== undefined) return hardware.pinned;
  if (!hardware.gpu) return 'no WebGPU';
  if (!hardware.gpu.f16) return 'the GPU has no shader-f16';
  if (!jspi) return 'the browser has no JSPI';
  return undefined;
}

function cpuBuild({ jspi, slowCompat }: Browser, bytes: number): Build {
  if (slowCompat) return 'default';
  if (!jspi) return 'compat';
  return bytes < smallBytes ? 'default' : 'compat';
}

/** Without isolation there is one thread whatever is wanted, and more than there are cores only slow each other down. */
function threadsOf(hardware: Hardware, bytes: number, wanted: number | undefined): number {
  if (wanted !== undefined) return hardware.isolated ? Math.min(wanted, Math.max(1, hardware.cores)) : 1;
  return bytes < smallBytes ? 1 : chooseThreads(hardware);
}
