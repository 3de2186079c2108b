/** A body that may be gigabytes: the handle of a file where there is one, else its bytes as they come. */

export interface StreamedUpload {
  /** To be read once. */
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** As the sender says; `undefined` when it does not. */
  readonly sizeBytes: number | undefined;
}

/** A request whose body is still coming in. Its `blob()` waits for all of it, on the disk. */
export interface StreamedRequest extends Request {
  readonly upload: StreamedUpload;
}

/** Read once, in one of the two forms. */
export function uploadOf(request: Request): Promise<Blob | StreamedUpload> {
  return isStreamed(request) ? Promise.resolve(request.upload) : request.blob();
}

function isStreamed(request: Request): request is StreamedRequest {
  return 'upload' in request && request.upload !== undefined;
}
