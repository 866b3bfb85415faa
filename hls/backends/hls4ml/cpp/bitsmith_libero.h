// The layers of bitsmith_ops.h for Microchip SmartHLS (io_parallel).
//
// Written from SmartHLS's manual, where >> on ap_fixpt shifts in zeros and ashr keeps the sign;
// Bitsmith has had no SmartHLS to compile it with.
#ifndef BITSMITH_LIBERO_H_
#define BITSMITH_LIBERO_H_

#define BITSMITH_OWN_BITS
#include <hls/ap_fixpt.hpp>
#include <hls/ap_int.hpp>

namespace bitsmith {

template <class T> T shift_right(const T &v, int bits) { return v.ashr(bits); }
template <class T> bool lowest_bit(const T &v) { return (v.raw_bits().to_uint64() & 1) != 0; }
template <class T> int to_index(const T &v) { return (int)v.raw_bits().to_uint64(); }

} // namespace bitsmith

#include "bitsmith_ops.h"

namespace bitsmith {

template <class data_T, class res_T, class CONFIG_T>
void requant(data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_in], const typename CONFIG_T::mult_t mult[CONFIG_T::n_mult],
             const typename CONFIG_T::add_t add[CONFIG_T::n_add]) {
    #pragma HLS function pipeline
    #pragma HLS memory partition argument(mult) type(complete)
    #pragma HLS memory partition argument(add) type(complete)
    for (unsigned i = 0; i < CONFIG_T::n_in; i++)
        res[i] = requant_value<data_T, res_T, CONFIG_T>(data[i], i % CONFIG_T::n_chan, mult, add);
}

template <class data_T, class res_T, class CONFIG_T>
void thresholds(data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_in],
                const typename CONFIG_T::thresholds_t levels[CONFIG_T::n_rows * CONFIG_T::n_levels],
                const typename CONFIG_T::base_t base[CONFIG_T::n_base], const typename CONFIG_T::step_t step[CONFIG_T::n_step]) {
    #pragma HLS function pipeline
    #pragma HLS memory partition argument(levels) type(complete)
    #pragma HLS memory partition argument(base) type(complete)
    #pragma HLS memory partition argument(step) type(complete)
    for (unsigned i = 0; i < CONFIG_T::n_in; i++)
        res[i] = thresholds_value<data_T, res_T, CONFIG_T>(data[i], i % CONFIG_T::n_chan, levels, base, step);
}

template <class data_T, class res_T, class CONFIG_T>
void lut(data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_in], const typename CONFIG_T::table_t table[CONFIG_T::n_table]) {
    #pragma HLS function pipeline
    for (unsigned i = 0; i < CONFIG_T::n_in; i++)
        res[i] = lut_value<data_T, res_T, CONFIG_T>(data[i], 0, table);
}

template <class data_T, class res_T, class CONFIG_T>
void argmax(data_T data[CONFIG_T::n_in], res_T res[CONFIG_T::n_in / CONFIG_T::n_chan]) {
    #pragma HLS function pipeline
    for (unsigned i = 0; i < CONFIG_T::n_in / CONFIG_T::n_chan; i++) {
        data_T best = data[i * CONFIG_T::n_chan];
        unsigned winner = 0;
        for (unsigned c = 1; c < CONFIG_T::n_chan; c++) {
            if (data[i * CONFIG_T::n_chan + c] > best) {
                best = data[i * CONFIG_T::n_chan + c];
                winner = c;
            }
        }
        res[i] = (res_T)winner;
    }
}

} // namespace bitsmith

#endif
