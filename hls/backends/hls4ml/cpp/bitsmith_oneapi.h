// The layers of bitsmith_ops.h on whole tensors held in nnet::array (oneAPI, io_parallel).
#ifndef BITSMITH_ONEAPI_H_
#define BITSMITH_ONEAPI_H_

#include "bitsmith_ops.h"

namespace bitsmith {

template <class data_T, class res_T, class CONFIG_T, class MULT, class ADD>
void requant(const data_T &data, res_T &res, const MULT &mult, const ADD &add) {
    #pragma unroll
    for (unsigned i = 0; i < CONFIG_T::n_in; i++)
        res[i] = requant_value<typename data_T::value_type, typename res_T::value_type, CONFIG_T>(
            data[i], i % CONFIG_T::n_chan, mult, add);
}

template <class data_T, class res_T, class CONFIG_T, class LEVELS, class BASE, class STEP>
void thresholds(const data_T &data, res_T &res, const LEVELS &levels, const BASE &base, const STEP &step) {
    #pragma unroll
    for (unsigned i = 0; i < CONFIG_T::n_in; i++)
        res[i] = thresholds_value<typename data_T::value_type, typename res_T::value_type, CONFIG_T>(
            data[i], i % CONFIG_T::n_chan, levels, base, step);
}

template <class data_T, class res_T, class CONFIG_T, class TABLE>
void lut(const data_T &data, res_T &res, const TABLE &table) {
    #pragma unroll
    for (unsigned i = 0; i < CONFIG_T::n_in; i++)
        res[i] = lut_value<typename data_T::value_type, typename res_T::value_type, CONFIG_T>(data[i], 0, table);
}

template <class data_T, class res_T, class CONFIG_T> void argmax(const data_T &data, res_T &res) {
    #pragma unroll
    for (unsigned i = 0; i < CONFIG_T::n_in / CONFIG_T::n_chan; i++) {
        typename data_T::value_type best = data[i * CONFIG_T::n_chan];
        unsigned winner = 0;
        for (unsigned c = 1; c < CONFIG_T::n_chan; c++) {
            if (data[i * CONFIG_T::n_chan + c] > best) {
                best = data[i * CONFIG_T::n_chan + c];
                winner = c;
            }
        }
        res[i] = (typename res_T::value_type)winner;
    }
}

} // namespace bitsmith

#endif
