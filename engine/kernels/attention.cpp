// GGML_OP_FLASH_ATTN_EXT by our kernels: what tensors they know, their scratch, and which thread does what.
#include "attention-query.h"
#include "attention-tile.h"
#include "engine.h"

// With fewer queries each is taken alone with the keys that it sees, and threads share the keys; with more, tiles of
// queries take all keys together, and threads share the tiles.
static constexpr int queries_of_tiles = 16;

// Of 8 numbers of any of the types a multiple of this is whole.
static bool knows_rows(const ggml_tensor * rows) {
    const int64_t whole = rows->type == GGML_TYPE_Q8_0 ? QK8_0 : 8;
    const bool known = rows->type == GGML_TYPE_F16 || rows->type == GGML_TYPE_Q8_0 || rows->type == GGML_TYPE_F32;
    return known && rows->ne[0] % whole == 0 && rows->nb[0] == ggml_type_size(rows->type);
}

static bool knows(const ggml_tensor * out) {
    const ggml_tensor *q = out->src[0], *k = out->src[1], *v = out->src[2], *mask = out->src[3];
    return knows_rows(k) && knows_rows(v) && q->type == GGML_TYPE_F32 && q->nb[0] == sizeof(float) &&
           k->ne[2] == v->ne[2] && k->ne[3] == v->ne[3] && q->ne[2] % k->ne[2] == 0 && q->ne[3] % k->ne[3] == 0 &&
           (mask == nullptr || (mask->type == GGML_TYPE_F16 && mask->ne[2] == 1));
}

// Sequence `i` of the operation.
static Attention sequence(const ggml_tensor * out, int i) {
    const ggml_tensor *q = out->src[0], *k = out->src[1], *v = out->src[2], *mask = out->src[3];
    float options[3]; // scale, ALiBi's largest bias, cap of scores
    memcpy(options, out->op_params, sizeof options);
    const int64_t of_cache = i / (q->ne[3] / k->ne[3]);
    Attention a = {};
    a.dk = k->ne[0], a.dv = v->ne[0];
    a.queries = q->ne[1], a.heads = q->ne[2], a.cache_heads = k->ne[2], a.keys = k->ne[1];
    a.scale = options[0], a.max_bias = options[1], a.softcap = options[2];
    a.q = (const char *) q->data + i * q->nb[3], a.q_query = q->nb[1], a.q_head = q->nb[2];
    a.k = (const char *) k->data + of_cache * k->nb[3], a.k_key = k->nb[1], a.k_head = k->nb[2];
    a.v = (const char *) v->data + of_cache * v->nb[3], a.v_key = v->nb[1], a.v_head = v->nb[2];
    if (mask != nullptr) a.mask = (const char *) mask->data + i % mask->ne[3] * mask->nb[3], a.mask_query = mask->nb[1];
    return a;
}

static void finish_row(ggml_tensor * out, int sequence, int query, int head, const float * state) {
    const ggml_tensor * sinks = out->src[4];
    const float * sink = sinks == nullptr ? nullptr : (const float *) sinks->data + head;
    float * at = (float *) ((char *) out->data + sequence * out->nb[3] + query * out->nb[2] + head * out->nb[1]);
    finish_state(state, sink, out->src[2]->ne[0], at);
}

// States by thread, sequence, query and head.
template <class Keys, class Values> static void few_queries(const ggml_compute_params * params, ggml_tensor * out) {
    const ggml_tensor * q = out->src[0];
    const int queries = q->ne[1], heads = q->ne[2], sequences = q->ne[3], rows = sequences * queries * heads;
    const int dv = out->src[2]->ne[0], size = 2 + dv, keys = out->src[1]->ne[1];
    float * states = (float *) params->wdata;
    float * mine = states + (size_t) params->ith * rows * size;
    const int share = (keys + params->nth - 1) / params->nth;
    const int from = MIN(keys, share * params->ith), to = MIN(keys, from + share);
    for (int s = 0; s < sequences; ++s) {
        const Attention a = sequence(out, s);
        for (int i = 0; i < queries; ++i) {
            attend_with_query<Keys, Values>(a, i, from, to, mine + (size_t) (s * queries + i) * heads * size);
        }
    }
    ggml_barrier(params->threadpool);
    for (int r = params->ith; r < rows; r += params->nth) {
        float * state = states + (size_t) r * size;
        for (int thread = 1; thread < params->nth; ++thread) add_state(state, state + (size_t) thread * rows * size, dv);
        finish_row(out, r / heads / queries, r / heads % queries, r % heads, state);
    }
}

template <class Keys, class Values> static void many_queries(const ggml_compute_params * params, ggml_tensor * out) {
    const ggml_tensor *q = out->src[0], *k = out->src[1], *v = out->src[2];
    const int group = q->ne[2] / k->ne[2], rows = q->ne[1] * group;
    const int tiles = (rows + attention_rows - 1) / attention_rows, all = tiles * k->ne[2] * q->ne[3];
    float * scratch = (float *) params->wdata + params->ith * attention_tile_size(k->ne[0], v->ne[0]);
    if (params->ith == 0) ggml_threadpool_chunk_set(params->threadpool, params->nth);
    ggml_barrier(params->threadpool);
    for (int n = params->ith; n < all; n = ggml_threadpool_chunk_add(params->threadpool, 1)) {
        // The last tile sees the most keys: it goes first, so that no thread waits for it at the end.
        const int first = (tiles - 1 - n / (all / tiles)) * attention_rows, of_tile = n % (all / tiles);
        const int s = of_tile / k->ne[2];
        const Attention a = sequence(out, s);
        AttentionTile<Keys, Values> tile(a, of_tile % k->ne[2], first, MIN(attention_rows, rows - first), scratch);
        tile.attend();
        for (int r = 0; r < MIN(attention_rows, rows - first); ++r) {
            finish_row(out, s, tile.query_of(r), tile.head_of(r), tile.state(r));
        }
    }
}

template <class Keys, class Values> static void attend(const ggml_compute_params * params, ggml_tensor * out) {
    if (out->src[0]->ne[1] < queries_of_tiles) few_queries<Keys, Values>(params, out);
    else many_queries<Keys, Values>(params, out);
}

template <class Keys> static void attend_to(const ggml_compute_params * params, ggml_tensor * out) {
    switch (out->src[2]->type) {
        case GGML_TYPE_F16: return attend<Keys, HalfCache>(params, out);
        case GGML_TYPE_Q8_0: return attend<Keys, Q8Cache>(params, out);
        default: return attend<Keys, FloatCache>(params, out);
    }
}

extern "C" {

bool engine_attention(const ggml_compute_params * params, ggml_tensor * out) {
    if (params->use_ref || !knows(out)) return false;
    switch (out->src[1]->type) {
        case GGML_TYPE_F16: attend_to<HalfCache>(params, out); break;
        case GGML_TYPE_Q8_0: attend_to<Q8Cache>(params, out); break;
        default: attend_to<FloatCache>(params, out);
    }
    return true;
}

size_t engine_attention_size(const ggml_tensor * out, int threads) {
    if (!knows(out)) return 0;
    const ggml_tensor *q = out->src[0], *k = out->src[1], *v = out->src[2];
    const size_t floats = q->ne[1] < queries_of_tiles ? q->ne[1] * q->ne[2] * q->ne[3] * (2 + v->ne[0])
                                                      : attention_tile_size(k->ne[0], v->ne[0]);
    return floats * sizeof(float) * threads;
}
}
