import { expect, it } from 'vitest';
import { DeviceWatch, type DeviceSource } from './device-watch.ts';

/** An adapter whose devices are lost when a test says so. */
function makeSource(): { source: DeviceSource; lose: () => void } {
  let lose = (): void => undefined;
  const lost = new Promise<GPUDeviceLostInfo>((resolve) => {
    lose = () => resolve({ reason: 'destroyed', message: '' } as GPUDeviceLostInfo);
  });
  const requestDevice = async () => ({ lost }) as GPUDevice;
  return { source: { requestDevice }, lose };
}

it('sees once that a device was lost, whichever of several', async () => {
  const { source, lose } = makeSource();
  let losses = 0;
  const watch = new DeviceWatch(source, () => losses++);
  const devices = [await source.requestDevice(), await source.requestDevice()];
  expect(watch.lost).toBe(false);
  lose();
  await Promise.all(devices.map((device) => device.lost));
  expect([watch.lost, losses]).toEqual([true, 1]);
});
