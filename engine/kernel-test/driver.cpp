// The kernels and their scalar references behind a few exported functions, for kernels.test.ts. Buffers are static; the
// test reads and writes them in the memory.
#define GGML_COMMON_DECL_C
#include "ggml-common.h"
#include "ggml-impl.h"
#include "ggml-quants.h"
#include "ggml.h"
#include "ggml-cpu-impl.h"
#include "engine.h"
#include "half.h"
#include "quants.h"

#include <cstdlib>
#include <cstring>

static constexpr int max_numbers = 4096, max_rows = 9, max_columns = 9;

float ggml_table_f32_f16[1 << 16];
alignas(16) static float floats[max_numbers];
alignas(16) static char weights[max_rows][max_numbers * 4];
alignas(16) static char activations[max_columns][max_numbers * 4 + 64];
alignas(16) static float results[max_rows * max_columns];

using Quantise = void (*)(const float *, void *, int64_t);
using Expand = void (*)(const void *, float *, int64_t);
using Dot = void (*)(int, float *, size_t, const void *, size_t, const void *, size_t, int);

struct Format {
    Quantise quantise; // upstream's scalar references, except for what is named a kernel
    Expand expand;
    Quantise kernel_activations, scalar_activations;
    Expand expand_activations;
    Dot kernel_dot, scalar_dot;
};

#define REFERENCE(NAME) (Quantise) quantize_row_##NAME##_ref, (Expand) dequantize_row_##NAME
#define Q8_0_ACTIVATIONS quantize_row_q8_0, (Quantise) quantize_row_q8_0_ref, (Expand) dequantize_row_q8_0
#define Q8_1_ACTIVATIONS quantize_row_q8_1, (Quantise) quantize_row_q8_1_ref, expand_q8_1
#define Q8_K_ACTIVATIONS quantize_row_q8_K, (Quantise) quantize_row_q8_K_ref, (Expand) dequantize_row_q8_K
#define DOTS(NAME) ggml_vec_dot_##NAME, ggml_vec_dot_##NAME##_generic

static void expand_q8_1(const void * x, float * y, int64_t n) {
    const block_q8_1 * block = (const block_q8_1 *) x;
    for (int64_t i = 0; i < n; ++i) y[i] = GGML_COMPUTE_FP16_TO_FP32(block[i / 32].d) * block[i / 32].qs[i % 32];
}
static void copy_floats(const float * x, void * y, int64_t n) { memcpy(y, x, n * sizeof(float)); }
static void copy_back(const void * x, float * y, int64_t n) { memcpy(y, x, n * sizeof(float)); }
static void to_halves(const float * x, void * y, int64_t n) {
    for (int64_t i = 0; i < n; ++i) ((ggml_fp16_t *) y)[i] = GGML_COMPUTE_FP32_TO_FP16(x[i]);
}
static void from_halves(const void * x, float * y, int64_t n) {
    for (int64_t i = 0; i < n; ++i) y[i] = GGML_COMPUTE_FP16_TO_FP32(((const ggml_fp16_t *) x)[i]);
}
static void half_dot(int n, float * s, size_t, const void * x, size_t, const void * y, size_t, int) {
    engine_product(GGML_TYPE_F16, n, s, 1, x, 0, 1, y, 0, 1);
}
static void scalar_half_dot(int n, float * s, size_t, const void * x, size_t, const void * y, size_t, int) {
    float sum = 0;
    for (int i = 0; i < n; ++i) sum += GGML_COMPUTE_FP16_TO_FP32(((const ggml_fp16_t *) x)[i]) * ((const float *) y)[i];
    *s = sum;
}

static Format format_of(int type) {
    switch (type) {
        case GGML_TYPE_F16: return {to_halves, from_halves, copy_floats, copy_floats, copy_back, half_dot, scalar_half_dot};
        case GGML_TYPE_Q4_0: return {REFERENCE(q4_0), Q8_0_ACTIVATIONS, DOTS(q4_0_q8_0)};
        case GGML_TYPE_Q4_1: return {REFERENCE(q4_1), Q8_1_ACTIVATIONS, DOTS(q4_1_q8_1)};
        case GGML_TYPE_Q5_0: return {REFERENCE(q5_0), Q8_0_ACTIVATIONS, DOTS(q5_0_q8_0)};
        case GGML_TYPE_Q5_1: return {REFERENCE(q5_1), Q8_1_ACTIVATIONS, DOTS(q5_1_q8_1)};
        case GGML_TYPE_Q8_0: return {REFERENCE(q8_0), Q8_0_ACTIVATIONS, DOTS(q8_0_q8_0)};
        case GGML_TYPE_IQ4_NL: return {REFERENCE(iq4_nl), Q8_0_ACTIVATIONS, DOTS(iq4_nl_q8_0)};
        case GGML_TYPE_Q2_K: return {REFERENCE(q2_K), Q8_K_ACTIVATIONS, DOTS(q2_K_q8_K)};
        case GGML_TYPE_Q3_K: return {REFERENCE(q3_K), Q8_K_ACTIVATIONS, DOTS(q3_K_q8_K)};
        case GGML_TYPE_Q4_K: return {REFERENCE(q4_K), Q8_K_ACTIVATIONS, DOTS(q4_K_q8_K)};
        case GGML_TYPE_Q5_K: return {REFERENCE(q5_K), Q8_K_ACTIVATIONS, DOTS(q5_K_q8_K)};
        case GGML_TYPE_Q6_K: return {REFERENCE(q6_K), Q8_K_ACTIVATIONS, DOTS(q6_K_q8_K)};
        case GGML_TYPE_IQ4_XS: return {REFERENCE(iq4_xs), Q8_K_ACTIVATIONS, DOTS(iq4_xs_q8_K)};
        default: abort();
    }
}

#define EXPORT extern "C" __attribute__((used, visibility("default")))

EXPORT void prepare(void) {
    for (int i = 0; i < 1 << 16; ++i) ggml_table_f32_f16[i] = GGML_COMPUTE_FP16_TO_FP32((ggml_fp16_t) i);
}
EXPORT float * floats_at(void) { return floats; }
EXPORT char * weights_at(int row) { return weights[row]; }
EXPORT char * activations_at(int column) { return activations[column]; }
EXPORT float * results_at(void) { return results; }

// The floats as a row of weights, or as a column of activations by the kernel or by the scalar reference.
EXPORT void set_weights(int type, int row, int n) { format_of(type).quantise(floats, weights[row], n); }
EXPORT void set_activations(int type, int column, int n) {
    format_of(type).kernel_activations(floats, activations[column], n);
}
EXPORT void set_scalar_activations(int type, int column, int n) {
    format_of(type).scalar_activations(floats, activations[column], n);
}
// And back.
EXPORT void get_weights(int type, int row, int n) { format_of(type).expand(weights[row], floats, n); }
EXPORT void get_activations(int type, int column, int n) {
    format_of(type).expand_activations(activations[column], floats, n);
}

EXPORT float kernel_dot(int type, int row, int column, int n) {
    float result;
    format_of(type).kernel_dot(n, &result, 0, weights[row], 0, activations[column], 0, 1);
    return result;
}
EXPORT float scalar_dot(int type, int row, int column, int n) {
    float result;
    format_of(type).scalar_dot(n, &result, 0, weights[row], 0, activations[column], 0, 1);
    return result;
}
// All rows times all columns into the results, column by column.
EXPORT void product(int type, int rows, int columns, int n) {
    engine_product((ggml_type) type, n, results, rows, weights, sizeof weights[0], rows, activations,
                   sizeof activations[0], columns);
}
// exp(x - largest) of the floats, in their place; returns the sum.
EXPORT double exponentials(int n, float largest) {
    double sum = 0;
    engine_exponentials(n, floats, floats, largest, &sum);
    return sum;
}
EXPORT void silu(int n) { engine_silu(n, floats, floats); }
EXPORT void halves_to_floats(int n) {
    for (int i = 0; i < n; i += 4) wasm_v128_store(floats + i, engine_halves_to_floats(weights[0] + 2 * i));
}
EXPORT void floats_to_halves(int n) {
    for (int i = 0; i < n; i += 4) engine_floats_to_halves(weights[0] + 2 * i, wasm_v128_load(floats + i));
}
EXPORT void floats_to_halves_scalar(int n) { to_halves(floats, weights[0], n); }

// Attention over one sequence; all as floats: queries, keys, values, mask, sinks and results.
static constexpr int max_attention = 1 << 16;
alignas(16) static float attention[6][max_attention];
alignas(16) static char cache[2][max_attention * 4], mask_halves[max_attention * 2];
static char work[1 << 20];
static int chunk;

EXPORT float * attention_at(int which) { return attention[which]; }

// Rows of so many numbers: keys or values as the type says them, and back, so that the floats are what the kernel reads.
static ggml_tensor cache_of(int which, int type, int width, int cache_heads, int keys) {
    float * from = attention[1 + which];
    const int n = width * cache_heads * keys;
    switch (type) {
        case GGML_TYPE_F32: copy_floats(from, cache[which], n); break;
        case GGML_TYPE_F16: to_halves(from, cache[which], n), from_halves(cache[which], from, n); break;
        default:
            quantize_row_q8_0_ref(from, (block_q8_0 *) cache[which], n);
            dequantize_row_q8_0((block_q8_0 *) cache[which], from, n);
    }
    const size_t size = type == GGML_TYPE_F32 ? 4 : type == GGML_TYPE_F16 ? 2 : sizeof(block_q8_0);
    const size_t row = type == GGML_TYPE_Q8_0 ? size * width / QK8_0 : size * width;
    ggml_tensor t = {};
    t.type = (ggml_type) type, t.data = cache[which];
    t.ne[0] = width, t.ne[1] = keys, t.ne[2] = cache_heads, t.ne[3] = 1;
    t.nb[0] = size, t.nb[1] = row * cache_heads, t.nb[2] = row, t.nb[3] = row * cache_heads * keys;
    return t;
}
static ggml_tensor rows_of(int which, int width, int heads, int queries) {
    ggml_tensor t = {};
    t.type = GGML_TYPE_F32, t.data = attention[which];
    t.ne[0] = width, t.ne[1] = queries, t.ne[2] = heads, t.ne[3] = 1;
    t.nb[0] = 4, t.nb[1] = 4 * width * heads, t.nb[2] = 4 * width, t.nb[3] = 4 * width * heads * queries;
    return t;
}

// Whether the kernel knows it. The threads come one after the other, and all of them twice, so that in their second turn
// each finds what the others did before the barrier.
EXPORT bool attend(int key_type, int value_type, int dk, int dv, int queries, int heads, int cache_heads, int keys,
                   int threads, float scale, float max_bias, float softcap, bool masked, bool sunk) {
    ggml_tensor q = rows_of(0, dk, heads, queries), k = cache_of(0, key_type, dk, cache_heads, keys);
    ggml_tensor v = cache_of(1, value_type, dv, cache_heads, keys), mask = {}, sinks = {}, out = {};
    to_halves(attention[3], mask_halves, queries * keys);
    mask.type = GGML_TYPE_F16, mask.data = mask_halves;
    mask.ne[0] = keys, mask.ne[1] = queries, mask.ne[2] = mask.ne[3] = 1;
    mask.nb[0] = 2, mask.nb[1] = 2 * keys, mask.nb[2] = mask.nb[3] = 2 * keys * queries;
    sinks.type = GGML_TYPE_F32, sinks.data = attention[4];
    out.type = GGML_TYPE_F32, out.data = attention[5], out.op = GGML_OP_FLASH_ATTN_EXT;
    out.ne[0] = dv, out.ne[1] = heads, out.ne[2] = queries, out.ne[3] = 1;
    out.nb[0] = 4, out.nb[1] = 4 * dv, out.nb[2] = 4 * dv * heads, out.nb[3] = 4 * dv * heads * queries;
    out.src[0] = &q, out.src[1] = &k, out.src[2] = &v;
    out.src[3] = masked ? &mask : nullptr, out.src[4] = sunk ? &sinks : nullptr;
    const float options[3] = {scale, max_bias, softcap};
    memcpy(out.op_params, options, sizeof options);
    if (engine_attention_size(&out, threads) > sizeof work) abort();
    memset(work, 0xff, sizeof work);
    for (int turn = 0; turn < 2 * threads; ++turn) {
        ggml_compute_params params = {};
        params.ith = turn % threads, params.nth = threads, params.wsize = sizeof work, params.wdata = work;
        if (!engine_attention(&params, &out)) return false;
    }
    return true;
}

// For timing.
EXPORT void repeat_product(int type, int rows, int columns, int n, int times) {
    for (int i = 0; i < times; ++i) product(type, rows, columns, n);
}
EXPORT void repeat_dot(int type, int n, int times) {
    for (int i = 0; i < times; ++i) results[i & 7] = kernel_dot(type, i % max_rows, 0, n);
}

// What upstream's sources call in conditions that do not arise here.
extern "C" {
void ggml_abort(const char *, int, const char *, ...) { __builtin_trap(); }
void ggml_critical_section_start(void) {}
void ggml_critical_section_end(void) {}
size_t ggml_type_size(ggml_type type) {
    return type == GGML_TYPE_Q8_0 ? sizeof(block_q8_0) : type == GGML_TYPE_F16 ? 2 : 4;
}
void ggml_barrier(ggml_threadpool *) {}
void ggml_threadpool_chunk_set(ggml_threadpool *, int value) { chunk = value; }
int ggml_threadpool_chunk_add(ggml_threadpool *, int value) { return (chunk += value) - value; }
}
