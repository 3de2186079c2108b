// How native llama.cpp goes on: `next-tokens MODEL COUNT BATCH < TEXTS`.
//
// TEXTS are divided by zero bytes. For each one line: the bytes in hex of the likeliest tokens to come next, COUNT or as many
// as there are to the end. Texts are read in batches of BATCH tokens, and what one shares with the text before is not read again.
#include "llama.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

static void fail(const char * what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void read(llama_context * context, llama_token * from, int count, int batch) {
    for (int at = 0; at < count; at += batch) {
        if (llama_decode(context, llama_batch_get_one(from + at, std::min(batch, count - at)))) fail("decoding failed");
    }
}

int main(int argc, char ** argv) {
    if (argc != 4) fail("usage: next-tokens MODEL COUNT BATCH < TEXTS");
    const int count = atoi(argv[2]);
    const int batch = atoi(argv[3]);
    llama_log_set([](ggml_log_level level, const char * text, void *) {
        if (level >= GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
    }, nullptr);

    llama_model_params model_params = llama_model_default_params();
    model_params.n_gpu_layers = 0;
    llama_model * model = llama_model_load_from_file(argv[1], model_params);
    if (!model) fail("the model does not load");
    const llama_vocab * vocab = llama_model_get_vocab(model);
    const int vocabulary = llama_vocab_n_tokens(vocab);
    llama_context_params params = llama_context_default_params();
    params.n_ctx = 2048;
    params.n_batch = params.n_ubatch = 128;
    params.n_threads = params.n_threads_batch = 2;
    params.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    llama_context * context = llama_init_from_model(model, params);
    if (!context) fail("the context does not start");

    const std::string input{std::istreambuf_iterator<char>(std::cin), {}};
    std::vector<llama_token> held;
    for (size_t start = 0; start < input.size();) {
        const size_t end = std::min(input.find('\0', start), input.size());
        const int length = (int) (end - start);
        std::vector<llama_token> tokens(length + 8);
        tokens.resize(std::max(0, llama_tokenize(vocab, &input[start], length, tokens.data(), (int) tokens.size(), true, true)));
        if (tokens.empty()) fail("a text has no tokens");
        start = end + 1;

        // Of what was read last at least one token is read again, for its logits.
        size_t same = 0;
        while (same < held.size() && same + 1 < tokens.size() && held[same] == tokens[same]) same++;
        llama_memory_seq_rm(llama_get_memory(context), 0, (llama_pos) same, -1);
        read(context, tokens.data() + same, (int) (tokens.size() - same), batch);
        held = tokens;
        for (int i = 0; i < count; i++) {
            const float * logits = llama_get_logits_ith(context, -1);
            llama_token next = (llama_token) (std::max_element(logits, logits + vocabulary) - logits);
            if (llama_vocab_is_eog(vocab, next)) break;
            char piece[256];
            const int bytes = llama_token_to_piece(vocab, next, piece, sizeof(piece), 0, false);
            for (int b = 0; b < bytes; b++) printf("%02x", (unsigned char) piece[b]);
                        if (i + 1 < count) read(context, &next, 1, 1);
        }
        printf("\n");
        // What it said itself is no part of the next text.
        llama_memory_seq_rm(llama_get_memory(context), 0, (llama_pos) held.size(), -1);
    }
    llama_free(context);
    llama_model_free(model);
}
