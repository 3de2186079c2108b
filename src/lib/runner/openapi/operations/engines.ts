/** Docker Model Runner's view of engines, and its settings of models. */
import { configureBody } from '#lib/runner/endpoints/configure.ts';
import { unloadBody } from '#lib/runner/endpoints/engines.ts';
import { configured } from '#lib/runner/openapi/answers/models.ts';
import { diskUsage, engineStatus, runner, unloaded, version } from '#lib/runner/openapi/answers/runner.ts';
import { json, list, text, value, type OperationGroup } from '#lib/runner/openapi/operation.ts';
import { findsModel } from './refusals.ts';

export const engines: OperationGroup = {
  tag: 'Engines',
  description: 'What runs, what is loaded, what it takes.',
  operations: [
    {
      on: 'GET /engines/status',
      id: 'getEngineStatus',
      summary: 'Which engines there are, and how they compute',
      answer: { status: 200, description: 'A sentence for each engine.', media: value(engineStatus) },
    },
    {
      on: 'GET /engines/ps',
      id: 'listRunners',
      summary: 'The loaded models',
      answer: { status: 200, description: 'All of them.', media: list(runner) },
    },
    {
      on: 'GET /engines/df',
      id: 'getDiskUsage',
      summary: 'Bytes on disk',
      answer: { status: 200, description: 'What models share is counted once.', media: value(diskUsage) },
    },
    {
      on: 'POST /engines/unload',
      id: 'unloadModels',
      summary: 'Unloads models',
      description: 'A model that is answering stays.',
      body: json(unloadBody, (model) => ({ models: [model] })),
      answer: { status: 200, description: 'How many were unloaded.', media: value(unloaded) },
    },
    {
      on: 'POST /engines/_configure',
      id: 'configureModel',
      summary: 'Settings of a model, kept until they are replaced',
      description: 'A flag that has no meaning here is refused by name.',
      body: json(configureBody, (model) => ({ model, 'context-size': 4096, keep_alive: '10m' })),
      answer: { status: 202, description: 'They hold from the next request on.' },
      errors: [...findsModel, 'unsupported_parameter'],
    },
    {
      on: 'GET /engines/_configure',
      id: 'listConfigurations',
      summary: 'Models that have settings of their own',
      query: [text('model', 'Only this one.')],
      answer: { status: 200, description: 'In Docker Model Runner’s shape.', media: list(configured) },
    },
    {
      on: 'GET /version',
      id: 'getVersion',
      summary: 'The version of Sampan',
      answer: { status: 200, description: 'The version.', media: value(version) },
    },
  ],
};
