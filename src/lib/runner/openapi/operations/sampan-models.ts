/** Our own view of stored models: what the pages show and do. */
import { modelSettings } from '#lib/runner/configure/settings.ts';
import { packageBody } from '#lib/runner/endpoints/sampan-models.ts';
import {
  blob,
  discarded,
  localModel,
  metadata,
  modelDetail,
  pruned,
  repairLine,
  uploadLine,
} from '#lib/runner/openapi/answers/models.ts';
import { flag, json, lines, list, value, type OperationGroup } from '#lib/runner/openapi/operation.ts';
import { asksRegistry, findsModel, loadsModel, storesModel } from './refusals.ts';

export const sampanModels: OperationGroup = {
  tag: 'Models, Sampan’s own',
  description:
    'What models cost in this browser, their files, their settings, how they are made and repaired.',
  operations: [
    {
      on: 'GET /_sampan/models',
      id: 'listLocalModels',
      summary: 'Models with what they cost here',
      answer: { status: 200, description: 'All of them.', media: list(localModel) },
    },
    {
      on: 'GET /_sampan/models/{ref}',
      id: 'getModelDetail',
      summary: 'Everything about one model',
      query: [flag('remote', 'Asks the registry instead, before a byte of weights is fetched.')],
      answer: { status: 200, description: 'Files, template, settings, fit.', media: value(modelDetail) },
      errors: asksRegistry,
    },
    {
      on: 'DELETE /_sampan/models/{ref}',
      id: 'discardModel',
      summary: 'Deletes a model with all its names',
      answer: {
        status: 200,
        description: '`restore` undoes it for 15 seconds.',
        media: value(discarded),
      },
      errors: [...findsModel, 'conflict'],
    },
    {
      on: 'POST /_sampan/models/{ref}/restore',
      id: 'restoreModel',
      summary: 'Undoes a deletion, by the model’s id',
      answer: { status: 200, description: 'The model is back.', media: value(localModel) },
      errors: findsModel,
    },
    {
      on: 'GET /_sampan/models/{ref}/metadata',
      id: 'getModelMetadata',
      summary: 'Every key of the GGUF header',
      answer: {
        status: 200,
        description: 'Keys with their values or their beginnings.',
        media: value(metadata),
      },
      errors: [...findsModel, 'unsupported_model_format', 'digest_mismatch'],
    },
    {
      on: 'GET /_sampan/models/{ref}/settings',
      id: 'getModelSettings',
      summary: 'How a model is run',
      answer: {
        status: 200,
        description: 'What is absent is the engine’s or the model’s default.',
        media: value(modelSettings),
      },
      errors: findsModel,
    },
    {
      on: 'PUT /_sampan/models/{ref}/settings',
      id: 'putModelSettings',
      summary: 'Replaces the settings of a model',
      body: json(modelSettings, () => ({ context_size: 4096, temperature: 0.7 })),
      answer: { status: 200, description: 'The settings.', media: value(modelSettings) },
      errors: [...findsModel, 'unsupported_parameter'],
    },
    {
      on: 'POST /_sampan/models/{ref}/load',
      id: 'warmModel',
      summary: 'Loads a model with its settings',
      answer: { status: 204, description: 'It is loaded.' },
      errors: loadsModel,
    },
    {
      on: 'POST /_sampan/models/{ref}/repair',
      id: 'repairModel',
      summary: 'Checks the files of a model and fetches damaged ones again',
      answer: {
        status: 200,
        description: 'Progress, what is damaged, at the end `done`.',
        media: lines(repairLine),
      },
      errors: findsModel,
    },
    {
      on: 'POST /_sampan/blobs',
      id: 'uploadFile',
      summary: 'Keeps a file for a package of this session',
      body: { need: 'required', media: { 'application/octet-stream': { is: 'bytes' } } },
      answer: { status: 201, description: 'Its digest.', media: value(blob) },
      other: {
        status: 200,
        description: 'With `Accept: application/x-ndjson`: progress, at the end `stored`.',
        media: lines(uploadLine),
      },
      errors: storesModel,
    },
    {
      on: 'POST /_sampan/package',
      id: 'packageModel',
      summary: 'Makes a model of files or of a stored model',
      body: json(packageBody, (model) => ({ target: 'my/model:v1', format: 'docker', from: model })),
      answer: { status: 201, description: 'The new model.', media: value(localModel) },
      errors: [...findsModel, ...storesModel, 'conflict', 'not_supported', 'registry_unreachable'],
    },
    {
      on: 'POST /_sampan/prune',
      id: 'pruneBlobs',
      summary: 'Removes what no model and no pull needs',
      answer: { status: 200, description: 'What was freed.', media: value(pruned) },
    },
  ],
};
