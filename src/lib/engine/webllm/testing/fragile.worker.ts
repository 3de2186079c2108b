/** The real worker, whose GPU device a test can destroy by a message on the channel that is this worker's name. */
import '#workers/webllm.worker.ts';

declare const self: DedicatedWorkerGlobalScope;

const channel = new BroadcastChannel(self.name);
const request = Object.getOwnPropertyDescriptor(GPUAdapter.prototype, 'requestDevice')?.value as (
  this: GPUAdapter,
  descriptor?: GPUDeviceDescriptor,
) => Promise<GPUDevice>;

GPUAdapter.prototype.requestDevice = async function (this: GPUAdapter, ...args) {
  const device = await request.apply(this, args);
  channel.onmessage = () => device.destroy();
  channel.postMessage('has a device');
  return device;
};
