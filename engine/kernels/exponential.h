// The exponential function of four floats, within two units in the last place.
#pragma once

#include "simd.h"

struct Exponential {
    v128_t least = HELD_FLOAT(-87.3f), most = HELD_FLOAT(88.3f), infinite = HELD_FLOAT(__builtin_inff());
    v128_t log2_e = HELD_FLOAT(1.44269504f);
    // -log 2 in two parts, so that the rest is exact enough
    v128_t minus_log2_high = HELD_FLOAT(-0.693359375f), minus_log2_low = HELD_FLOAT(2.12194440e-4f);
    v128_t one = HELD_FLOAT(1.0f), exponent_of_one = held<127>();
    v128_t term[6] = {HELD_FLOAT(1.0f / 5040), HELD_FLOAT(1.0f / 720), HELD_FLOAT(1.0f / 120),
                      HELD_FLOAT(1.0f / 24), HELD_FLOAT(1.0f / 6), HELD_FLOAT(0.5f)};

    // Below -87.3 the result is 0, above 88.3 it is infinite; NaN stays NaN.
    v128_t of(v128_t x) const {
        const v128_t bounded = wasm_f32x4_pmax(wasm_f32x4_pmin(x, most), least);
        // x = n * log 2 + rest
        const v128_t n = wasm_f32x4_nearest(wasm_f32x4_mul(bounded, log2_e));
        const v128_t rest = multiply_add(n, minus_log2_low, multiply_add(n, minus_log2_high, bounded));
        // the series of exp(rest), for rest of at most 0.35
        v128_t series = term[0];
        for (int i = 1; i < 6; ++i) series = multiply_add(series, rest, term[i]);
        series = multiply_add(multiply_add(series, rest, one), rest, one);
        const v128_t power = wasm_i32x4_shl(wasm_i32x4_add(wasm_i32x4_trunc_sat_f32x4(n), exponent_of_one), 23);
        const v128_t value = wasm_v128_andnot(wasm_f32x4_mul(series, power), wasm_f32x4_lt(x, least));
        return wasm_v128_bitselect(infinite, value, wasm_f32x4_gt(x, most));
    }

    v128_t silu(v128_t x) const { return wasm_f32x4_div(x, wasm_f32x4_add(one, of(wasm_f32x4_neg(x)))); }
};
