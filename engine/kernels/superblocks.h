// Formats with 256 weights in a block and a scale for every 16 or 32 of them: how a block is unpacked.
#pragma once

#include "simd.h"

// A number for each 16 weights of a block, to be multiplied with the sums of their activations.
struct Sixteen {
    v128_t low, high;
};

// Every format visits its weights 32 at a time: visit(offset, low 16, high 16, scale of the low, scale of the high).
// `one_scale`: both are the same. `bias` as in blocks.h; `minima` are subtracted once per block.

// Eight scales and eight minima of six bits each.
struct SixBits {
    uint8_t scale[8];
    uint8_t minimum[8];
    ENGINE_INLINE SixBits unpack(const uint8_t * packed) {
        uint32_t word[3], out[4];
        memcpy(word, packed, 12);
        out[0] = word[0] & 0x3f3f3f3f;
        out[1] = (word[2] & 0x0f0f0f0f) | (((word[0] >> 6) & 0x03030303) << 4);
        out[2] = word[1] & 0x3f3f3f3f;
        out[3] = ((word[2] >> 4) & 0x0f0f0f0f) | (((word[1] >> 6) & 0x03030303) << 4);
        SixBits result;
        memcpy(&result, out, 16);
        return result;
    }
    // each minimum stands for two sixteens
    Sixteen minima() const {
        const v128_t m = wasm_u16x8_load8x8(minimum);
        return {wasm_i16x8_shuffle(m, m, 0, 0, 1, 1, 2, 2, 3, 3), wasm_i16x8_shuffle(m, m, 4, 4, 5, 5, 6, 6, 7, 7)};
    }
};

struct Q4_K {
    using Row = block_q4_K;
    using Numbers = SixBits;
    static constexpr bool one_scale = true, minima = true;
    static constexpr int bias = 0;
    ENGINE_INLINE Numbers numbers(const Row & x) { return SixBits::unpack(x.scales); }
    Nibbles nibbles;
    template <class Visit>
    __attribute__((always_inline)) void weights(const Row & x, const Numbers & numbers, Visit visit) const {
        for (int j = 0; j < 4; ++j) {
            const v128_t a = wasm_v128_load(x.qs + 32 * j), b = wasm_v128_load(x.qs + 32 * j + 16);
            const v128_t s0 = wasm_i16x8_splat(numbers.scale[2 * j]), s1 = wasm_i16x8_splat(numbers.scale[2 * j + 1]);
            visit(64 * j, nibbles.low(a), nibbles.low(b), s0, s0);
            visit(64 * j + 32, nibbles.high(a), nibbles.high(b), s1, s1);
        }
    }
};

struct Q5_K {
    using Row = block_q5_K;
    using Numbers = SixBits;
    static constexpr bool one_scale = true, minima = true;
    static constexpr int bias = 0;
    ENGINE_INLINE Numbers numbers(const Row & x) { return SixBits::unpack(x.scales); }
    Nibbles nibbles;
    v128_t sixteen = held<0x10101010>();
    template <class Visit>
    __attribute__((always_inline)) void weights(const Row & x, const Numbers & numbers, Visit visit) const {
        v128_t ha = wasm_v128_load(x.qh), hb = wasm_v128_load(x.qh + 16);
        for (int j = 0; j < 4; ++j) {
            const v128_t a = wasm_v128_load(x.qs + 32 * j), b = wasm_v128_load(x.qs + 32 * j + 16);
            const v128_t s0 = wasm_i16x8_splat(numbers.scale[2 * j]), s1 = wasm_i16x8_splat(numbers.scale[2 * j + 1]);
            visit(64 * j, wasm_v128_or(nibbles.low(a), wasm_v128_and(wasm_i16x8_shl(ha, 4), sixteen)),
                  wasm_v128_or(nibbles.low(b), wasm_v128_and(wasm_i16x8_shl(hb, 4), sixteen)), s0, s0);
            visit(64 * j + 32, wasm_v128_or(nibbles.high(a), wasm_v128_and(wasm_i16x8_shl(ha, 3), sixteen)),
                  wasm_v128_or(nibbles.high(b), wasm_v128_and(wasm_i16x8_shl(hb, 3), sixteen)), s1, s1);
            ha = wasm_u16x8_shr(ha, 2);
            hb = wasm_u16x8_shr(hb, 2);
        }
    }
};

// Sixteen scales, ready for products with the sums of activations.
struct Scales {
    int8_t scale[16];
    Sixteen wide() const { return {wasm_i16x8_load8x8(scale), wasm_i16x8_load8x8(scale + 8)}; }
};

struct Q6_K {
    using Row = block_q6_K;
    using Numbers = Scales;
    static constexpr bool one_scale = false, minima = false;
    static constexpr int bias = 32;
    ENGINE_INLINE Numbers numbers(const Row & x) {
        Scales s;
        memcpy(s.scale, x.scales, 16);
        return s;
    }
    Nibbles nibbles;
    v128_t top = held<0x30303030>();
    template <class Visit>
    __attribute__((always_inline)) void weights(const Row & x, const Numbers & numbers, Visit visit) const {
        for (int j = 0; j < 2; ++j) {
            const uint8_t * q = x.ql + 64 * j;
            const v128_t a0 = wasm_v128_load(q), a1 = wasm_v128_load(q + 16);
            const v128_t b0 = wasm_v128_load(q + 32), b1 = wasm_v128_load(q + 48);
            const v128_t h0 = wasm_v128_load(x.qh + 32 * j), h1 = wasm_v128_load(x.qh + 32 * j + 16);
            const int8_t * s = numbers.scale + 8 * j;
            visit(128 * j, wasm_v128_or(nibbles.low(a0), wasm_v128_and(wasm_i16x8_shl(h0, 4), top)),
                  wasm_v128_or(nibbles.low(a1), wasm_v128_and(wasm_i16x8_shl(h1, 4), top)),
                  wasm_i16x8_splat(s[0]), wasm_i16x8_splat(s[1]));
            visit(128 * j + 32, wasm_v128_or(nibbles.low(b0), wasm_v128_and(wasm_i16x8_shl(h0, 2), top)),
                  wasm_v128_or(nibbles.low(b1), wasm_v128_and(wasm_i16x8_shl(h1, 2), top)),
                  wasm_i16x8_splat(s[2]), wasm_i16x8_splat(s[3]));
            visit(128 * j + 64, wasm_v128_or(nibbles.high(a0), wasm_v128_and(h0, top)),
                  wasm_v128_or(nibbles.high(a1), wasm_v128_and(h1, top)), wasm_i16x8_splat(s[4]), wasm_i16x8_splat(s[5]));
            visit(128 * j + 96, wasm_v128_or(nibbles.high(b0), wasm_v128_and(wasm_u16x8_shr(h0, 2), top)),
                  wasm_v128_or(nibbles.high(b1), wasm_v128_and(wasm_u16x8_shr(h1, 2), top)),
                  wasm_i16x8_splat(s[6]), wasm_i16x8_splat(s[7]));
        }
    }
};

struct Q2_K {
    using Row = block_q2_K;
    struct Numbers {
        uint8_t scale[16];
        v128_t packed;
        Sixteen minima() const {
            const v128_t m = Nibbles().high(packed);
            return {wasm_u16x8_extend_low_u8x16(m), wasm_u16x8_extend_high_u8x16(m)};
        }
    };
    static constexpr bool one_scale = false, minima = true;
    static constexpr int bias = 0;
    ENGINE_INLINE Numbers numbers(const Row & x) {
        Numbers result;
        result.packed = wasm_v128_load(x.scales);
        wasm_v128_store(result.scale, Nibbles().low(result.packed));
        return result;
    }
    v128_t two_bits = held<0x03030303>();
    template <class Visit>
    __attribute__((always_inline)) void weights(const Row & x, const Numbers & numbers, Visit visit) const {
        for (int j = 0; j < 2; ++j) {
            v128_t a = wasm_v128_load(x.qs + 32 * j), b = wasm_v128_load(x.qs + 32 * j + 16);
            for (int k = 0; k < 4; ++k) {
                const uint8_t * s = numbers.scale + 8 * j + 2 * k;
                visit(128 * j + 32 * k, wasm_v128_and(a, two_bits), wasm_v128_and(b, two_bits),
                      wasm_i16x8_splat(s[0]), wasm_i16x8_splat(s[1]));
                a = wasm_u16x8_shr(a, 2);
                b = wasm_u16x8_shr(b, 2);
            }
        }
    }
};

struct Q3_K {
    using Row = block_q3_K;
    using Numbers = Scales;
    static constexpr bool one_scale = false, minima = false;
    static constexpr int bias = 4;
    ENGINE_INLINE Numbers numbers(const Row & x) {
        uint32_t word[3], out[4];
        memcpy(word, x.scales, 12);
        const uint32_t high = word[2];
        out[0] = (word[0] & 0x0f0f0f0f) | ((high & 0x03030303) << 4);
        out[1] = (word[1] & 0x0f0f0f0f) | (((high >> 2) & 0x03030303) << 4);
        out[2] = ((word[0] >> 4) & 0x0f0f0f0f) | (((high >> 4) & 0x03030303) << 4);
        out[3] = ((word[1] >> 4) & 0x0f0f0f0f) | (((high >> 6) & 0x03030303) << 4);
        Scales s;
        wasm_v128_store(s.scale, wasm_i8x16_sub(wasm_v128_load(out), wasm_i8x16_splat(32)));
        return s;
    }
    v128_t two_bits = held<0x03030303>(), four = held<0x04040404>();
    template <class Visit>
    __attribute__((always_inline)) void weights(const Row & x, const Numbers & numbers, Visit visit) const {
        v128_t ha = wasm_v128_load(x.hmask), hb = wasm_v128_load(x.hmask + 16);
        for (int j = 0; j < 2; ++j) {
            v128_t a = wasm_v128_load(x.qs + 32 * j), b = wasm_v128_load(x.qs + 32 * j + 16);
            for (int k = 0; k < 4; ++k) {
                const int8_t * s = numbers.scale + 8 * j + 2 * k;
                visit(128 * j + 32 * k,
                      wasm_v128_or(wasm_v128_and(a, two_bits), wasm_v128_and(wasm_i16x8_shl(ha, 2), four)),
                      wasm_v128_or(wasm_v128_and(b, two_bits), wasm_v128_and(wasm_i16x8_shl(hb, 2), four)),
                      wasm_i16x8_splat(s[0]), wasm_i16x8_splat(s[1]));
                a = wasm_u16x8_shr(a, 2);
                b = wasm_u16x8_shr(b, 2);
                ha = wasm_u16x8_shr(ha, 1);
                hb = wasm_u16x8_shr(hb, 1);
            }
        }
    }
};
