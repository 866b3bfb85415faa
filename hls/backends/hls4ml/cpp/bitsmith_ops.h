// Integer layers that hls4ml has not: requantization, thresholds, table, argmax.
//
// Every type holds integers (no fractional bits), so each function is plain integer
// arithmetic.  It is written with the operators that ap_fixed and ac_fixed share; the
// widths come from exact intervals, so nothing here can overflow.  Parameters come as
// whatever has an index: arrays, pointers, std::array.
#ifndef BITSMITH_OPS_H_
#define BITSMITH_OPS_H_

namespace bitsmith {

#ifndef BITSMITH_OWN_BITS // SmartHLS names these three differently: bitsmith_libero.h
template <class T> T shift_right(const T &v, int bits) { return v >> bits; } // keeps the sign
template <class T> bool lowest_bit(const T &v) {
    T copy = v;
    return copy[0];
}
template <class T> int to_index(const T &v) { return v.to_int(); }
#endif

enum rounding_mode { rounding_floor, rounding_half_up, rounding_half_even };

// y = round((x * mult + add) / 2^shift) brought into lo..hi
struct requant_config {
    static const unsigned n_in = 1;    // values of the tensor
    static const unsigned n_chan = 1;  // channels: the fastest index
    static const unsigned n_mult = 1;  // 1 or n_chan
    static const unsigned n_add = 1;   // 1 or n_chan
    static const unsigned shift = 0;
    static const rounding_mode rounding = rounding_floor;
    static const bool plain = false;   // mult = 1 and add = 0
    static const bool wraps = false;   // else saturates
    static const long long lo = 0;
    static const long long hi = 1;
};

template <class data_T, class res_T, class CONFIG_T, class MULT, class ADD>
res_T requant_value(const data_T &x, unsigned channel, const MULT &mult, const ADD &add) {
    #pragma HLS INLINE
    typedef typename CONFIG_T::wide_t wide_t;
    wide_t v = x;
    if (!CONFIG_T::plain) {
        wide_t product = x * mult[CONFIG_T::n_mult == 1 ? 0 : channel];
        v = product + add[CONFIG_T::n_add == 1 ? 0 : channel];
    }
    if (CONFIG_T::shift > 0) {
        const wide_t half = (wide_t)(1LL << (CONFIG_T::shift > 0 ? CONFIG_T::shift - 1 : 0));
        if (CONFIG_T::rounding == rounding_half_up) {
            v = v + half;
        } else if (CONFIG_T::rounding == rounding_half_even) {
            const bool odd = lowest_bit(shift_right(v, (int)CONFIG_T::shift)); // says which way a tie goes
            v = v + (half - (wide_t)1);
            if (odd)
                v = v + (wide_t)1;
        }
        v = shift_right(v, (int)CONFIG_T::shift);
    }
    const wide_t lo = (wide_t)(long long)CONFIG_T::lo;
    const wide_t hi = (wide_t)(long long)CONFIG_T::hi;
    if (CONFIG_T::wraps) {
        typename CONFIG_T::wrap_t offset = v - lo; // as wide as the range: drops the high bits
        v = lo + offset;
    } else {
        v = v < lo ? lo : (v > hi ? hi : v);
    }
    return (res_T)v;
}

// y = base + step * (number of thresholds that x reaches)
struct thresholds_config {
    static const unsigned n_in = 1;
    static const unsigned n_chan = 1;
    static const unsigned n_levels = 1;
    static const unsigned n_rows = 1; // 1 or n_chan
    static const unsigned n_base = 1; // 1 or n_chan
    static const unsigned n_step = 1; // 1 or n_chan
};

template <class data_T, class res_T, class CONFIG_T, class LEVELS, class BASE, class STEP>
res_T thresholds_value(const data_T &x, unsigned channel, const LEVELS &levels, const BASE &base, const STEP &step) {
    #pragma HLS INLINE
    const unsigned row = CONFIG_T::n_rows == 1 ? 0 : channel;
    typename CONFIG_T::count_t count = 0;
    for (unsigned k = 0; k < CONFIG_T::n_levels; k++) {
        #pragma HLS UNROLL
        if (x >= levels[row * CONFIG_T::n_levels + k])
            count = count + (typename CONFIG_T::count_t)1;
    }
    typename CONFIG_T::wide_t v = count * step[CONFIG_T::n_step == 1 ? 0 : channel];
    v = v + base[CONFIG_T::n_base == 1 ? 0 : channel];
    return (res_T)v;
}

// y = table[x - offset]
struct lut_config {
    static const unsigned n_in = 1;
    static const unsigned n_table = 1;
    static const long long offset = 0;
};

template <class data_T, class res_T, class CONFIG_T, class TABLE>
res_T lut_value(const data_T &x, unsigned, const TABLE &table) {
    #pragma HLS INLINE
    typename CONFIG_T::wide_t place = x;
    place = place - (typename CONFIG_T::wide_t)(long long)CONFIG_T::offset;
    return (res_T)table[to_index(place)];
}

// index of the largest of n_chan neighbours; the first of equals
struct argmax_config {
    static const unsigned n_in = 1;
    static const unsigned n_chan = 1;
};

// largest value of each window, any strides, no padding (a sequence has height 1)
struct max_pool_config {
    static const unsigned in_height = 1;
    static const unsigned in_width = 1;
    static const unsigned n_chan = 1;
    static const unsigned pool_height = 1;
    static const unsigned pool_width = 1;
    static const unsigned stride_height = 1;
    static const unsigned stride_width = 1;
};

} // namespace bitsmith

#endif
