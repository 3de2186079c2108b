/** The schemas of the document by name, as JSON Schema: a part that has a name is referred to, never repeated. */
import { toJsonSchemaDefs, type JsonSchema } from '@valibot/to-json-schema';
import { chatBody } from '#lib/openai/chat.ts';
import { completionBody } from '#lib/openai/completion.ts';
import { embeddingsBody } from '#lib/openai/embeddings.ts';
import { rerankBody } from '#lib/openai/rerank.ts';
import { modelSettings } from '#lib/runner/configure/settings.ts';
import { benchBody } from '#lib/runner/endpoints/bench.ts';
import { signIn } from '#lib/runner/endpoints/body.ts';
import { configureBody } from '#lib/runner/endpoints/configure.ts';
import { unloadBody } from '#lib/runner/endpoints/engines.ts';
import { gateBody } from '#lib/runner/endpoints/gate.ts';
import { createBody, repackageBody } from '#lib/runner/endpoints/models.ts';
import { packageBody } from '#lib/runner/endpoints/sampan-models.ts';
import { pullBody } from '#lib/runner/endpoints/sampan.ts';
import { detokenizeBody, tokenizeBody } from '#lib/runner/endpoints/tokenize.ts';
import { grantWish } from '#lib/runner/access/parse.ts';
import { settingsChange } from '#lib/runner/preferences/parse.ts';
import { requestRecord, requestRow } from '#lib/runner/recorder/parse.ts';
import { settingsPatch } from '#lib/runner/recorder/settings.ts';
import * as access from './answers/access.ts';
import * as common from './answers/common.ts';
import * as gate from './answers/gate.ts';
import * as models from './answers/models.ts';
import * as openai from './answers/openai.ts';
import * as records from './answers/records.ts';
import * as runner from './answers/runner.ts';
import type { Schema } from './operation.ts';

const schemas = {
  Error: common.errorBody,
  Nothing: common.nothing,
  AnyObject: common.values,
  ChatRequest: chatBody,
  ChatCompletion: openai.chatCompletion,
  ChatChunk: openai.chatChunk,
  CompletionRequest: completionBody,
  Completion: openai.textCompletion,
  EmbeddingsRequest: embeddingsBody,
  Embeddings: openai.embeddings,
  RerankRequest: rerankBody,
  Ranking: openai.ranking,
  TokenizeRequest: tokenizeBody,
  Tokenized: openai.tokenized,
  DetokenizeRequest: detokenizeBody,
  Detokenized: openai.detokenized,
  OpenAiModel: openai.openAiModel,
  OpenAiModelList: openai.openAiModels,
  Model: models.model,
  InspectedModel: models.inspectedModel,
  CreateRequest: createBody,
  SignIn: signIn,
  RepackageRequest: repackageBody,
  Repackaged: models.repackaged,
  Tagged: models.tagged,
  Deletion: models.deletion,
  Progress: models.progress,
  LocalModel: models.localModel,
  LocalModelList: models.localModels,
  ModelDetail: models.modelDetail,
  ModelMetadata: models.metadata,
  ModelSettings: modelSettings,
  Discarded: models.discarded,
  RepairLine: models.repairLine,
  Blob: models.blob,
  UploadLine: models.uploadLine,
  PackageRequest: packageBody,
  Pruned: models.pruned,
  ConfigureRequest: configureBody,
  Configured: models.configured,
  UnloadRequest: unloadBody,
  Unloaded: runner.unloaded,
  EngineStatus: runner.engineStatus,
  Runner: runner.runner,
  RunnerList: runner.runners,
  DiskUsage: runner.diskUsage,
  Version: runner.version,
  Status: runner.status,
  PullRequest: pullBody,
  Pull: runner.pull,
  PullList: runner.pulls,
  Settings: runner.settings,
  SettingsChange: settingsChange,
  GrantWish: grantWish,
  Grant: access.grant,
  GateRequest: gateBody,
  GateLine: gate.gateLine,
  GateHistory: gate.gateHistory,
  BenchRequest: benchBody,
  BenchLine: runner.benchLine,
  BenchHistory: runner.benchHistory,
  SelfTestState: runner.selfTestState,
  SelfTestLine: runner.selfTestLine,
  RequestRow: requestRow,
  RequestRecord: requestRecord,
  RequestPage: records.requestPage,
  RequestSettings: records.requestSettings,
  RequestSettingsPatch: settingsPatch,
  RequestImport: records.requestImport,
  RequestsKept: records.requestsKept,
  RequestsGone: records.requestsGone,
  Removed: records.removed,
  EngineRequests: records.engineRequests,
  Connected: records.connected,
  LogLine: records.logLine,
} satisfies Readonly<Record<string, Schema>>;

const names: ReadonlyMap<Schema, string> = new Map(
  Object.entries(schemas).map(([name, schema]) => [schema, name]),
);

export interface Reference {
  readonly $ref: string;
}

/** Throws for a schema without a name. */
export function referTo(schema: Schema): Reference {
  const name = names.get(schema);
  if (name === undefined) throw new Error('a schema of the document has no name');
  return { $ref: `#/components/schemas/${name}` };
}

/** What a client may send; checks that JSON Schema has no word for are left out. */
export function namedSchemas(): Readonly<Record<string, JsonSchema>> {
  return toJsonSchemaDefs(schemas, {
    target: 'draft-2020-12',
    typeMode: 'input',
    errorMode: 'ignore',
    overrideRef: ({ referenceId }) => `#/components/schemas/${referenceId}`,
  });
}
