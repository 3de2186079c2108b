/** Errors in the shape of the OCI distribution specification, which registry clients read. */
import type { ServerResponse } from 'node:http';
import { sendJson } from '#server/respond.ts';

export type OciErrorCode = 'MANIFEST_UNKNOWN' | 'BLOB_UNKNOWN' | 'NAME_UNKNOWN' | 'UNSUPPORTED';

export function sendOciError(response: ServerResponse, code: OciErrorCode, message: string): void {
  const status = code === 'UNSUPPORTED' ? 405 : 404;
  sendJson(
    response,
    status,
    { errors: [{ code, message }] },
    code === 'UNSUPPORTED' ? { Allow: 'GET, HEAD' } : {},
  );
}
