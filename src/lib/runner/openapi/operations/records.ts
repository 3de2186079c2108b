/** Records of requests, the log, the metrics. */
import { requestSourceKinds, requestStates } from '#lib/model/wire-requests.ts';
import {
  connected,
  engineRequests,
  logLine,
  removed,
  requestImport,
  requestPage,
  requestSettings,
  requestsGone,
  requestsKept,
} from '#lib/runner/openapi/answers/records.ts';
import {
  count,
  events,
  flag,
  json,
  lines,
  list,
  text,
  value,
  type OperationGroup,
  type Parameter,
} from '#lib/runner/openapi/operation.ts';
import { requestRecord, requestRow } from '#lib/runner/recorder/parse.ts';
import { settingsPatch } from '#lib/runner/recorder/settings.ts';
import { values } from '#lib/runner/openapi/answers/common.ts';
import { asksModel } from './refusals.ts';

/** Nothing is as if it were not there. */
const listOf = (words: readonly string[]) => {
  const one = `(${words.join('|')})`;
  return { pattern: `^(${one}(,${one})*)?$` };
};

const filter: readonly Parameter[] = [
  text('model', 'As it was asked for, or any name or id of the same stored model.'),
  text('state', 'Several are separated by commas.', listOf(requestStates)),
  text('source', 'Several are separated by commas.', listOf(requestSourceKinds)),
  count('from_ms', 'Started at this time or later.', { maximum: 999_999_999_999_999 }),
  count('to_ms', 'Started before this time.', { maximum: 999_999_999_999_999 }),
  count('min_duration_ms', 'Took so long or longer.', { maximum: 999_999_999_999_999 }),
  count('max_duration_ms', 'Took so long or less.', { maximum: 999_999_999_999_999 }),
  text('q', 'Text in the prompt, the answer, the model’s name or the error.'),
];

const record = {
  on: 'GET /_sampan/requests/{id}',
  id: 'getRequest',
  summary: 'The whole record of a request',
  answer: { status: 200, description: 'The record.', media: value(requestRecord) },
  errors: ['route_not_found'],
} as const;

export const records: OperationGroup = {
  tag: 'Requests and logs',
  description: 'Every request to a model is recorded in this browser. Prompts never enter the log.',
  operations: [
    {
      on: 'GET /engines/requests',
      id: 'listEngineRequests',
      summary: 'Docker Model Runner’s inspector',
      query: [
        text('model', 'Only of this model.'),
        flag('include_existing', 'The event stream begins with what there is.'),
      ],
      answer: {
        status: 200,
        description: 'The last ten of each model, or with `Accept: text/event-stream` those that come.',
        media: {
          ...list(engineRequests),
          ...events({ connected, new_request: engineRequests, existing_request: engineRequests }),
        },
      },
    },
    {
      on: 'GET /_sampan/requests',
      id: 'listRequests',
      summary: 'Recorded requests, newest first',
      query: [
        count('limit', '100 when absent, 1,000 at most.', { maximum: 999_999_999_999_999 }),
        text('before', 'A `next` of the page before.'),
        ...filter,
      ],
      answer: { status: 200, description: 'A page of them.', media: value(requestPage) },
    },
    {
      on: 'DELETE /_sampan/requests',
      id: 'deleteRequests',
      summary: 'Deletes the records that match, all without a filter',
      query: filter,
      answer: { status: 200, description: 'How many.', media: value(removed) },
    },
    record,
    {
      on: 'GET /_sampan/requests/events',
      id: 'followRequests',
      summary: 'Rows as they change',
      query: filter,
      answer: {
        status: 200,
        description: 'What matches the filter from now on.',
        media: events({ kept: requestsKept, request: requestRow, gone: requestsGone }),
      },
    },
    {
      on: 'GET /_sampan/requests/settings',
      id: 'getRequestSettings',
      summary: 'What is recorded, and how much of it is kept',
      answer: { status: 200, description: 'The settings.', media: value(requestSettings) },
    },
    {
      on: 'PUT /_sampan/requests/settings',
      id: 'putRequestSettings',
      summary: 'Changes what is recorded; what is left out stays as it is',
      body: json(settingsPatch, () => ({ recording: true, max_count: 10_000 })),
      answer: { status: 200, description: 'All settings.', media: value(requestSettings) },
    },
    {
      on: 'POST /_sampan/requests/{id}/replay',
      id: 'replayRequest',
      summary: 'Sends a recorded request again',
      body: { need: 'optional', media: value(values, (model) => ({ model, messages: [] })) },
      answer: {
        status: 200,
        description: 'What the request’s own path answers.',
        media: { 'application/json': { is: 'value', schema: values }, 'text/event-stream': { is: 'text' } },
      },
      errors: [...asksModel, 'route_not_found'],
    },
    {
      on: 'GET /_sampan/requests/export',
      id: 'exportRequests',
      summary: 'Records as a file, oldest first',
      query: [text('format', '`jsonl` when absent.', { enum: ['jsonl', 'har'] }), ...filter],
      answer: {
        status: 200,
        description: 'JSONL, which can be imported again, or HAR 1.2.',
        media: {
          ...lines(requestRecord),
          'application/json': { is: 'value', schema: values },
        },
      },
    },
    {
      on: 'POST /_sampan/requests/import',
      id: 'importRequests',
      summary: 'Takes records from a JSONL file',
      body: { need: 'required', media: lines(requestRecord) },
      answer: { status: 200, description: 'How many were taken.', media: value(requestImport) },
    },
    {
      on: 'GET /logs',
      id: 'getLogs',
      summary: 'The log',
      query: [
        flag('follow', 'Stays for what comes.'),
        flag('no-engines', 'Leaves out the engines’ own lines.'),
        count('after', 'Lines with a higher number than this.', { maximum: 999_999_999_999_999 }),
      ],
      answer: {
        status: 200,
        description: 'Text, or JSON lines with `Accept: application/x-ndjson`.',
        media: { 'text/plain': { is: 'text' }, ...lines(logLine) },
      },
    },
    {
      on: 'GET /metrics',
      id: 'getMetrics',
      summary: 'Counters of all requests for Prometheus',
      answer: {
        status: 200,
        description: 'Prometheus’ text form.',
        media: { 'text/plain': { is: 'text' } },
      },
    },
  ],
};
