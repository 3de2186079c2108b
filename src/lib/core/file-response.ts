/**
 * A response whose whole body is a `Blob`: whoever carries it may hand the blob over in place of its bytes, which then
 * stay on the disk until they are read.
 */
export class FileResponse extends Response {
  readonly file: Blob;
  /** Called once when nobody reads the file any more; the giver keeps it until then. */
  readonly onEnd: () => void;

  constructor(file: Blob, init: ResponseInit, onEnd: () => void) {
    super(file, init);
    this.file = file;
    this.onEnd = onEnd;
  }
}
