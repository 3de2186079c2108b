/** Parts of answers that many endpoints share. */
import * as v from 'valibot';
import type { ErrorBody, ErrorCode } from '#lib/core/errors.ts';

export const word = v.string();
export const whole = v.pipe(v.number(), v.safeInteger());
export const number = v.number();
export const yes = v.boolean();
export const words = v.record(v.string(), v.string());
export const values = v.record(v.string(), v.unknown());

const types = [
  'invalid_request_error',
  'authentication_error',
  'permission_error',
  'rate_limit_error',
  'server_error',
] as const;

const errorCode = v.pipe(
  v.custom<ErrorCode>((value) => typeof value === 'string'),
  v.metadata({ type: 'string' }),
);

export const error: v.GenericSchema<ErrorBody['error']> = v.object({
  message: v.string(),
  type: v.picklist(types),
  param: v.nullable(v.string()),
  code: errorCode,
});

export const errorBody: v.GenericSchema<ErrorBody> = v.object({ error });

/** The last line of work that failed after its first. */
export const failedLine = v.object({ type: v.literal('error'), error });

/** Of what has nothing to tell. */
export const nothing = v.strictObject({});
