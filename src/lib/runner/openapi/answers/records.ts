/** Records of requests, and lines of the log. */
import * as v from 'valibot';
import {
  logLevels,
  type LogLineJson,
  type RequestEvents,
  type RequestImportJson,
  type RequestSettingsJson,
} from '#lib/model/wire-requests.ts';
import { requestRow } from '#lib/runner/recorder/parse.ts';
import { number, values, whole, word, yes } from './common.ts';

export const requestsKept: v.GenericSchema<RequestEvents['kept']> = v.object({ count: whole, bytes: number });

export const requestPage = v.object({
  requests: v.array(requestRow),
  next: v.exactOptional(word),
  total: whole,
  kept: requestsKept,
});

export const requestsGone: v.GenericSchema<RequestEvents['gone']> = v.object({ ids: v.array(word) });

export const requestSettings: v.GenericSchema<RequestSettingsJson> = v.object({
  recording: yes,
  max_count: whole,
  max_bytes: whole,
});

export const requestImport: v.GenericSchema<RequestImportJson> = v.object({
  imported: whole,
  known: whole,
  refused: whole,
});

export const removed = v.object({ removed: whole });

/** Docker Model Runner's record; `request` and `response` are JSON texts. */
export const engineRequests = v.object({
  count: whole,
  model: word,
  config: values,
  records: v.array(
    v.object({
      id: word,
      model: word,
      method: word,
      url: word,
      request: word,
      response: v.exactOptional(word),
      error: v.exactOptional(word),
      timestamp: whole,
      status_code: whole,
      user_agent: v.exactOptional(word),
    }),
  ),
});

export const connected = v.object({ status: v.literal('connected') });

export const logLine: v.GenericSchema<LogLineJson> = v.object({
  number: whole,
  time_ms: number,
  level: v.picklist(logLevels),
  source: v.picklist(['service', 'engine']),
  component: word,
  message: word,
  fields: v.exactOptional(v.record(v.string(), v.union([word, number, yes]))),
});
