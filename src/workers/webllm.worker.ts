/** Composition root of a WebLLM worker: one model, computed in this thread. */
import { expose } from 'comlink';
import { installErrorTransfer } from '#lib/core/error-transfer.ts';
import { WebLlmSession } from '#lib/engine/webllm/worker/session.ts';

declare const self: DedicatedWorkerGlobalScope;

installErrorTransfer();

expose(
  new WebLlmSession({
    scope: self,
    gpu: navigator.gpu,
    // Without WebGPU there are no adapters either; the runner has looked before it started this.
    devices: GPUAdapter.prototype,
    locks: navigator.locks,
  }),
);
