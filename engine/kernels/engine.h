// What ggml's other files call of our kernels.
#pragma once

#include "ggml.h"

#ifdef __cplusplus
extern "C" {
#endif

// Whether engine_product knows weights of this type with activations of that one.
bool engine_product_knows(enum ggml_type weights, enum ggml_type activations);

// The type of activations it takes for them, given theirs and the one that ggml would convert them to.
enum ggml_type engine_activations(enum ggml_type weights, enum ggml_type given, enum ggml_type usual);

// out[column * out_stride + row] = row of x times column of y, each of n numbers; the strides of x and y are in bytes.
void engine_product(enum ggml_type type, int n, float * out, size_t out_stride, const void * x, size_t x_stride, int rows,
                    const void * y, size_t y_stride, int columns);

// Computes `out`, a GGML_OP_FLASH_ATTN_EXT, or returns false where it does not know the types of the cache. Its part of the
// work buffer is so many bytes.
struct ggml_compute_params;
bool engine_attention(const struct ggml_compute_params * params, struct ggml_tensor * out);
size_t engine_attention_size(const struct ggml_tensor * out, int threads);

// Each does as many numbers as fit whole vectors, and returns how many those are.
int engine_silu(int n, float * out, const float * x);
int engine_swiglu(int n, float * out, const float * x, const float * gate);
// out = exp(x - largest), and their sum is added to `sum`.
int engine_exponentials(int n, float * out, const float * x, float largest, double * sum);

#ifdef __cplusplus
}
#endif
