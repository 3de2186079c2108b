import { expose, wrap } from 'comlink';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ApiError, storageFull } from './errors.ts';
import { installErrorTransfer } from './error-transfer.ts';

/** What the other side of the boundary throws. */
const failures = {
  coded: () => new ApiError('invalid_request', 'That is no size. Give a number.', { param: 'size' }),
  caused: () => storageFull(new RangeError('disk')),
  foreign: () => new TypeError('secret detail'),
  quota: () => new DOMException('full', 'QuotaExceededError'),
  text: () => 'oops',
};

function fail(kind: keyof typeof failures): never {
  throw failures[kind]();
}

describe('errors across Comlink', () => {
  let channel: MessageChannel;
  let remoteFail: (kind: keyof typeof failures) => Promise<unknown>;

  beforeEach(() => {
    installErrorTransfer();
    installErrorTransfer();
    channel = new MessageChannel();
    expose(fail, channel.port1);
    remoteFail = wrap<typeof fail>(channel.port2);
  });

  afterEach(() => {
    channel.port1.close();
    channel.port2.close();
  });

  async function caught(kind: keyof typeof failures): Promise<unknown> {
    return remoteFail(kind).then(
      () => undefined,
      (error: unknown) => error,
    );
  }

  it('keeps code, message and param, in an ApiError', async () => {
    const error = await caught('coded');
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      code: 'invalid_request',
      param: 'size',
      message: 'That is no size. Give a number.',
      status: 400,
    });
  });

  it('keeps the cause as text, for the log', async () => {
    const error = await caught('caused');
    expect(error).toMatchObject({ code: 'storage_full', cause: expect.stringContaining('RangeError: disk') });
  });

  it('makes an ApiError of everything else that was thrown', async () => {
    expect(await caught('quota')).toMatchObject({ name: 'ApiError', code: 'storage_full' });
    expect(await caught('text')).toMatchObject({ name: 'ApiError', code: 'internal', cause: 'oops' });
    const foreign = await caught('foreign');
    expect(foreign).toMatchObject({ name: 'ApiError', code: 'internal' });
    expect(foreign instanceof Error && foreign.message).not.toContain('secret detail');
  });
});
