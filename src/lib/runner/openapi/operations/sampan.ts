/** Our own paths besides models: the feed, pulls, settings, benchmarks, the check of the device. */
import type { PullVerb } from '#lib/model/wire.ts';
import { benchBody } from '#lib/runner/endpoints/bench.ts';
import { gateBody } from '#lib/runner/endpoints/gate.ts';
import { pullBody } from '#lib/runner/endpoints/sampan.ts';
import { nothing, values } from '#lib/runner/openapi/answers/common.ts';
import { gateHistory, gateLine } from '#lib/runner/openapi/answers/gate.ts';
import { localModels } from '#lib/runner/openapi/answers/models.ts';
import {
  benchHistory,
  benchLine,
  pull,
  pulls,
  runners,
  selfTestLine,
  selfTestState,
  settings,
  status,
} from '#lib/runner/openapi/answers/runner.ts';
import { settingsChange } from '#lib/runner/preferences/parse.ts';
import {
  events,
  json,
  lines,
  list,
  text,
  value,
  type Operation,
  type OperationGroup,
} from '#lib/runner/openapi/operation.ts';
import { asksRegistry, loadsModel } from './refusals.ts';

function pullVerb(verb: PullVerb, status: 200 | 202, summary: string): Operation {
  return {
    on: `POST /_sampan/pulls/{id}/${verb}`,
    id: `${verb}Pull`,
    summary,
    answer: { status, description: 'The pull.', media: value(pull) },
    errors: ['model_not_found', 'invalid_reference'],
  };
}

const pullOperations: readonly Operation[] = [
  {
    on: 'GET /_sampan/pulls',
    id: 'listPulls',
    summary: 'All pulls',
    answer: { status: 200, description: 'Running, waiting, paused and over.', media: list(pull) },
  },
  {
    on: 'POST /_sampan/pulls',
    id: 'startPull',
    summary: 'Starts a pull that nobody needs to follow',
    description: 'Credentials are kept in memory only.',
    body: json(pullBody, (model) => ({ from: model })),
    answer: { status: 202, description: 'The pull; it goes on by itself.', media: value(pull) },
    errors: asksRegistry,
  },
  pullVerb('pause', 200, 'Pauses a pull; it keeps what it has'),
  pullVerb('first', 200, 'Puts a waiting pull before all others'),
  pullVerb('resume', 202, 'Goes on with a pull that was paused or failed'),
  pullVerb('anyway', 202, 'Goes on although nothing here runs the model'),
  {
    on: 'DELETE /_sampan/pulls/{id}',
    id: 'cancelPull',
    summary: 'Cancels a pull and drops its bytes; takes one that is over off the list',
    answer: { status: 204, description: 'It is gone.' },
    errors: ['model_not_found'],
  },
];

export const sampan: OperationGroup = {
  tag: 'Sampan’s own',
  description: 'What draws Sampan’s own pages, for any client.',
  operations: [
    {
      on: 'GET /_sampan/events',
      id: 'followEverything',
      summary: 'The feed of all pages',
      answer: {
        status: 200,
        description: 'Each event carries the whole of its subject, on connect and after every change.',
        media: events({ status, models: localModels, pulls, runners }),
      },
    },
    {
      on: 'GET /_sampan/status',
      id: 'getStatus',
      summary: 'The machine and the runner',
      answer: { status: 200, description: 'For a status bar.', media: value(status) },
    },
    ...pullOperations,
    {
      on: 'GET /_sampan/settings',
      id: 'getSettings',
      summary: 'Settings for all models',
      answer: { status: 200, description: 'The settings.', media: value(settings) },
    },
    {
      on: 'PUT /_sampan/settings',
      id: 'putSettings',
      summary: 'Changes settings for all models; what is left out stays as it is',
      body: json(settingsChange, () => ({ keep_alive: '10m', parallel_pulls: 2 })),
      answer: { status: 200, description: 'All settings.', media: value(settings) },
      errors: ['unsupported_parameter'],
    },
    {
      on: 'POST /_sampan/bench',
      id: 'runBenchmark',
      summary: 'Measures a model',
      body: json(benchBody, (model) => ({ model, repetitions: 3 })),
      answer: { status: 200, description: 'Progress, at the end `done`.', media: lines(benchLine) },
      errors: ['model_not_found', 'invalid_reference', 'conflict'],
    },
    {
      on: 'GET /_sampan/bench',
      id: 'listBenchmarks',
      summary: 'Results of benchmarks, newest first',
      query: [
        text('model', 'An id or a name as a result has it.'),
        text('format', '`json` when absent.', { enum: ['json', 'csv'] }),
      ],
      answer: {
        status: 200,
        description: 'As JSON or as a table.',
        media: { ...value(benchHistory), 'text/csv': { is: 'text' } },
      },
    },
    {
      on: 'DELETE /_sampan/bench',
      id: 'clearBenchmarks',
      summary: 'Removes all results',
      answer: { status: 200, description: 'They are gone.', media: value(nothing) },
    },
    {
      on: 'DELETE /_sampan/bench/{id}',
      id: 'deleteBenchmark',
      summary: 'Removes one result',
      answer: { status: 200, description: 'It is gone.', media: value(nothing) },
    },
    {
      on: 'POST /_sampan/gate',
      id: 'checkModel',
      summary: 'Checks that a model computes correctly',
      description: 'What the device in force predicts is held against what another one predicts.',
      body: json(gateBody, (model) => ({ model })),
      answer: { status: 200, description: 'Progress, at the end `done`.', media: lines(gateLine) },
      errors: [...loadsModel, 'conflict'],
    },
    {
      on: 'GET /_sampan/gate',
      id: 'listChecks',
      summary: 'Results of checks, newest first',
      query: [text('model', 'An id or a name as a result has it.')],
      answer: { status: 200, description: 'All of them.', media: value(gateHistory) },
    },
    {
      on: 'GET /_sampan/self-test',
      id: 'getSelfTest',
      summary: 'What this browser can compute with',
      answer: {
        status: 200,
        description: 'And the last check, if there was one.',
        media: value(selfTestState),
      },
    },
    {
      on: 'POST /_sampan/self-test',
      id: 'runSelfTest',
      summary: 'Both engines run the built-in model',
      answer: { status: 200, description: 'Steps, verdicts, at the end `done`.', media: lines(selfTestLine) },
    },
    {
      on: 'GET /openapi.json',
      id: 'getOpenApi',
      summary: 'This document',
      answer: {
        status: 200,
        description: 'OpenAPI 3.1.',
        media: { 'application/json': { is: 'value', schema: values } },
      },
    },
  ],
};
