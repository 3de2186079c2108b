/** WebLLM keeps its GPU device to itself and only logs that it was lost; this sees every device that is made. */

/** Where `requestDevice` is found: the prototype of all adapters. */
export interface DeviceSource {
  requestDevice: (this: DeviceSource, descriptor?: GPUDeviceDescriptor) => Promise<GPUDevice>;
}

export class DeviceWatch {
  readonly #onLost: () => void;
  #lost = false;

  /** `onLost` is called once, whatever the reason: WebLLM itself destroys the device when memory runs out. */
  constructor(source: DeviceSource, onLost: () => void) {
    this.#onLost = onLost;
    const request = source.requestDevice;
    const watch = (device: GPUDevice) => this.#watch(device);
    source.requestDevice = async function (this: DeviceSource, ...args) {
      const device = await request.apply(this, args);
      watch(device);
      return device;
    };
  }

  get lost(): boolean {
    return this.#lost;
  }

  #watch(device: GPUDevice): void {
    void device.lost.then(() => {
      if (this.#lost) return;
      this.#lost = true;
      this.#onLost();
    });
  }
}
