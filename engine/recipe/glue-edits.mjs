/** Our changes to wllama's C++, in the form of edits.mjs: messages of 3.13.0, files, more tasks than slots, threads. */

const context = 'cpp/wllama-context.h';

const messages = [
  {
    why: 'the JavaScript of wllama 3.13.0 asks for a version',
    file: 'cpp/wllama.cpp',
    within: 'const char *wllama_start()',
    find: '{\\"success\\":true}',
    replace: '{\\"success\\":true,\\"version\\":\\"sampan\\"}',
  },
  {
    why: 'a field of the messages of wllama 3.13.0',
    file: context,
    find: 'res.has_audio_input.value = server_meta.chat_params.allow_audio;',
    replace: `res.has_audio_input.value = server_meta.chat_params.allow_audio;
    res.has_chat.value = true;`,
  },
];

/** One request's failure is its own answer, so that calls of many can wait in the worker at the same time. */
const answers = [
  {
    why: 'an exception is the answer of its call',
    file: 'cpp/wllama.cpp',
    within: 'const char *wllama_action(',
    find: `    // length of response is written inside input_buffer
    uint32_t *output_len = (uint32_t *)req_raw;
    output_len[0] = output_buffer.data.size();
    return output_buffer.data.data();
  }
  catch (std::exception &e)
  {
    printStr(GGML_LOG_LEVEL_ERROR, e.what());
    return nullptr;
  }`,
    replace: `  }
  catch (std::exception &e)
  {
    printStr(GGML_LOG_LEVEL_ERROR, e.what());
    glue_msg_error error;
    error.message.value = e.what();
    error.handler.serialize(output_buffer);
  }
  // length of response is written inside input_buffer
  uint32_t *output_len = (uint32_t *)req_raw;
  output_len[0] = output_buffer.data.size();
  return output_buffer.data.data();`,
  },
  {
    why: 'a result that is there is given before more are computed, and pieces of text go together',
    file: context,
    find: `    run_loop();
    auto [result, is_error] = get_next_result(rd);
    // the task queue can be empty while the request is still streaming, keep polling until we get the stop result
    const bool has_more = rd.has_next();

    json data_json;
    if (result)
    {`,
    replace: `    server_task_result_ptr result = next_result(req.req_id.value, rd);
    json pieces = json::array();
    const auto until = ggml_time_us() + 16000; // a frame of most screens
    while (is_later_text(result.get()) && ggml_time_us() < until)
    {
      append_chunks(pieces, *result);
      result = next_result(req.req_id.value, rd);
      if (result && result->is_error()) held[req.req_id.value] = std::move(result);
    }
    const bool is_error = result && result->is_error();
    const bool has_more = rd.has_next() || held.count(req.req_id.value) > 0;

    json data_json;
    if (!pieces.empty())
    {
      if (result) append_chunks(pieces, *result);
      data_json = pieces;
    }
    else if (result)
    {`,
  },
  {
    why: 'the same',
    file: context,
    find: '  glue_msg_get_result_res action_get_result(',
    replace: `  std::unordered_map<int, server_task_result_ptr> held; // failures that wait until the text before them is told

  server_task_result_ptr next_result(int id, server_response_reader &rd)
  {
    auto failure = held.find(id);
    if (failure != held.end())
    {
      auto result = std::move(failure->second);
      held.erase(failure);
      return result;
    }
    auto [result, is_error] = get_next_result(rd);
    if (!result)
    {
      run_loop();
      std::tie(result, is_error) = get_next_result(rd);
    }
    return std::move(result);
  }

  // The first piece goes by itself: somebody waits for it.
  static bool is_later_text(server_task_result *result)
  {
    auto *partial = dynamic_cast<server_task_result_cmpl_partial *>(result);
    return partial && !partial->is_begin && !partial->is_progress && partial->n_decoded > 1;
  }

  // A result of a chat is several chunks, or none.
  static void append_chunks(json &chunks, server_task_result &result)
  {
    json told = result.to_json();
    if (!told.is_array()) told = json::array({told});
    for (const auto &chunk : told) chunks.push_back(chunk);
  }

  glue_msg_get_result_res action_get_result(`,
  },
  {
    why: 'bytes that are no character become U+FFFD',
    file: context,
    find: 'res.data_json.value = result ? data_json.dump() : "";',
    replace: 'res.data_json.value = data_json.is_null() && !result ? "" : safe_json_to_str(data_json);',
  },
  {
    why: 'what a template makes of messages is found out once, by rendering it dozens of times',
    file: 'llama.cpp/common/chat.cpp',
    find: `        struct autoparser::autoparser autoparser;
        autoparser.analyze_template(tmpl);
`,
    replace: `        static std::unordered_map<std::string, struct autoparser::autoparser> analysed;
        if (analysed.count(tmpl.source()) == 0) {
            struct autoparser::autoparser fresh;
            fresh.analyze_template(tmpl);
            if (analysed.size() == 8) analysed.clear();
            analysed.emplace(tmpl.source(), std::move(fresh));
        }
        const auto & autoparser = analysed.at(tmpl.source());
`,
  },
];

/** Nothing waits for a promise, so neither JSPI nor Asyncify is needed. `modelFiles` are Blobs by name, from outside. */
const files = [
  {
    why: 'a file is read where the call stands, piece by piece',
    file: 'cpp/wllama-fs.h',
    find: `EM_ASYNC_JS(size_t, js_file_read, (const char *path_ptr, size_t offset, size_t req_size, void *out_ptr), {
  return await _wllama_js_file_read(UTF8ToString(Number(path_ptr)), Number(offset), Number(req_size), Number(out_ptr));
});`,
    replace: `EM_JS(size_t, js_file_read, (const char *path, size_t offset, size_t size, void *to), {
  const name = UTF8ToString(path).split("/").at(-1);
  const file = self.modelFiles.get(name);
  const start = offset >>> 0;
  const length = Math.max(0, Math.min(size >>> 0, file.size - start));
  const heap = new Uint8Array(wasmMemory.buffer, to >>> 0, length);
  const pieceBytes = 16 * 1024 * 1024;
  for (let at = 0; at < length; at += pieceBytes) {
    const piece = file.slice(start + at, start + Math.min(at + pieceBytes, length));
    heap.set(new Uint8Array(new FileReaderSync().readAsArrayBuffer(piece)), at);
  }
  return length;
});`,
  },
];

const tasks = [
  {
    why: 'a task beyond the slots waits; what it asks was made tokens before',
    file: context,
    find: '  assert(false && "should not be called in wllama");\n',
    replace: '  task.cli = false;\n  queue_tasks_deferred.push_back(std::move(task));\n',
  },
  {
    why: 'a slot that is free takes what waits, first what asks for this very slot',
    file: context,
    find: '  // no deferred task in wllama, so this is a no-op\n',
    replace: `  if (queue_tasks_deferred.empty()) return;
  size_t next = 0;
  for (size_t i = 0; i < queue_tasks_deferred.size(); i++)
  {
    if (queue_tasks_deferred[i].id_slot == id_slot)
    {
      next = i;
      break;
    }
  }
  queue_tasks.push_front(std::move(queue_tasks_deferred[next]));
  queue_tasks_deferred.erase(queue_tasks_deferred.begin() + next);
`,
  },
  {
    why: 'vectors of one request are kept until all are there',
    file: context,
    find: '  std::unique_ptr<const server_context_meta> meta;\n',
    replace: `  std::unique_ptr<const server_context_meta> meta;
  std::unordered_map<int, std::vector<json>> vectors; // by request, in the order of the inputs
`,
  },
  {
    why: 'vectors of one request are one answer, as the JavaScript of wllama 3.13.0 expects',
    file: context,
    find: `        (void)embd;
        // special handling for embeddings OAI-compat
        json body = {{"model", meta->model_name}};
        json responses = json::array();
        responses.push_back(result->to_json());
        // TODO: support base64 output
        data_json = format_embeddings_response_oaicompat(body, meta->model_name, responses, false);
`,
    replace: `        auto &kept = vectors[req.req_id.value];
        kept.resize(std::max(kept.size(), embd->index + 1));
        kept[embd->index] = embd->to_json();
        if (has_more) result = nullptr;
        else data_json = format_embeddings_response_oaicompat({{"model", meta->model_name}}, meta->model_name, kept, false);
`,
  },
  {
    why: 'kept vectors end with their request',
    file: context,
    find: `    if (!has_more)
    {
      readers.erase(it);
    }`,
    replace: `    if (!has_more)
    {
      readers.erase(it);
      vectors.erase(req.req_id.value);
    }`,
  },
  {
    why: 'kept vectors end with their request',
    file: context,
    find: `      readers.erase(it);
      run_loop();`,
    replace: `      readers.erase(it);
      vectors.erase(req.req_id.value);
      held.erase(req.req_id.value);
      run_loop();`,
  },
];

/** Threads beyond the pool cannot start while somebody waits for them, and a sound is soon taken apart. */
const sounds = [
  {
    why: 'a sound is taken apart by the thread that asks',
    file: 'llama.cpp/tools/mtmd/mtmd-audio.cpp',
    within: 'static bool log_mel_spectrogram(',
    find: 'const int     n_threads,',
    replace: 'const int,',
  },
  {
    why: 'a sound is taken apart by the thread that asks',
    file: 'llama.cpp/tools/mtmd/mtmd-audio.cpp',
    within: 'static bool log_mel_spectrogram(',
    find: '    out.n_len_org = n_samples_in;\n',
    replace: '    const int n_threads = 1;\n    out.n_len_org = n_samples_in;\n',
  },
  {
    why: 'a sound is taken apart by the thread that asks',
    file: 'llama.cpp/tools/mtmd/mtmd-audio.cpp',
    find: 'const int n_threads = 4;',
    replace: 'const int n_threads = 1;',
  },
];

/** A second pool would need threads that cannot start while this one waits for them. */
const pool = [
  {
    why: 'the pool of the model is kept for graphs that have none: pictures and sounds',
    file: context,
    find: 'static bool force_single_thread = false;\n',
    replace: `static struct ggml_threadpool *model_pool = nullptr;
extern "C" struct ggml_threadpool *__real_ggml_threadpool_new(struct ggml_threadpool_params *params);
extern "C" struct ggml_threadpool *__wrap_ggml_threadpool_new(struct ggml_threadpool_params *params)
{
  return model_pool = __real_ggml_threadpool_new(params);
}
extern "C" void __real_ggml_threadpool_free(struct ggml_threadpool *pool);
extern "C" void __wrap_ggml_threadpool_free(struct ggml_threadpool *pool)
{
  if (pool == model_pool) model_pool = nullptr;
  __real_ggml_threadpool_free(pool);
}

static bool force_single_thread = false;
`,
  },
  {
    why: 'the pool of the model is kept for graphs that have none: pictures and sounds',
    file: context,
    find: 'force_single_thread ? 1 : n_threads, threadpool);\n}',
    replace: 'force_single_thread ? 1 : n_threads, threadpool ? threadpool : model_pool);\n}',
  },
];

export const glueEdits = [...messages, ...answers, ...files, ...tasks, ...sounds, ...pool];
