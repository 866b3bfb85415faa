// The layers of bitsmith_ops.h on streams of packs (io_stream, Vivado and Vitis HLS).
//
// A pack usually holds the channels of one place.  Where the packs of both sides differ
// (after a reshape), values are gathered until a pack of the result is full.
#ifndef BITSMITH_STREAM_H_
#define BITSMITH_STREAM_H_

#include "bitsmith_ops.h"
#include "hls_stream.h"

namespace bitsmith {

// What is done to each value; plain static functions, since HLS inlines them.
template <class data_T, class res_T, class CONFIG_T> struct requant_op {
    template <class MULT, class ADD> static res_T value(const data_T &x, unsigned c, const MULT &mult, const ADD &add) {
        return requant_value<data_T, res_T, CONFIG_T>(x, c, mult, add);
    }
};

template <class data_T, class res_T, class CONFIG_T> struct thresholds_op {
    template <class LEVELS, class BASE, class STEP>
    static res_T value(const data_T &x, unsigned c, const LEVELS &levels, const BASE &base, const STEP &step) {
        return thresholds_value<data_T, res_T, CONFIG_T>(x, c, levels, base, step);
    }
};

template <class data_T, class res_T, class CONFIG_T> struct lut_op {
    template <class TABLE> static res_T value(const data_T &x, unsigned c, const TABLE &table) {
        return lut_value<data_T, res_T, CONFIG_T>(x, c, table);
    }
};

// Reads N values in order and writes OP of each.
template <class OP, unsigned N, unsigned CHANNELS, class data_T, class res_T, class... PARAMS>
void map_stream(hls::stream<data_T> &data, hls::stream<res_T> &res, PARAMS *...params) {
    #pragma HLS INLINE
    if (data_T::size == res_T::size) {
        for (unsigned i = 0; i < N / data_T::size; i++) {
            #pragma HLS PIPELINE
            data_T in = data.read();
            res_T out;
            for (unsigned j = 0; j < data_T::size; j++) {
                #pragma HLS UNROLL
                out[j < res_T::size ? j : 0] = OP::value(in[j], (i * data_T::size + j) % CHANNELS, params...);
            }
            res.write(out);
        }
        return;
    }
    data_T in;
    res_T out;
    unsigned taken = data_T::size, filled = 0;
    for (unsigned n = 0; n < N; n++) {
        #pragma HLS PIPELINE
        if (taken == data_T::size) {
            in = data.read();
            taken = 0;
        }
        out[filled++] = OP::value(in[taken++], n % CHANNELS, params...);
        if (filled == res_T::size) {
            res.write(out);
            filled = 0;
        }
    }
}

template <class data_T, class res_T, class CONFIG_T>
void requant(hls::stream<data_T> &data, hls::stream<res_T> &res, const typename CONFIG_T::mult_t mult[CONFIG_T::n_mult],
             const typename CONFIG_T::add_t add[CONFIG_T::n_add]) {
    #pragma HLS ARRAY_PARTITION variable=mult complete
    #pragma HLS ARRAY_PARTITION variable=add complete
    typedef requant_op<typename data_T::value_type, typename res_T::value_type, CONFIG_T> op;
    map_stream<op, CONFIG_T::n_in, CONFIG_T::n_chan>(data, res, mult, add);
}

template <class data_T, class res_T, class CONFIG_T>
void thresholds(hls::stream<data_T> &data, hls::stream<res_T> &res,
                const typename CONFIG_T::thresholds_t levels[CONFIG_T::n_rows * CONFIG_T::n_levels],
                const typename CONFIG_T::base_t base[CONFIG_T::n_base], const typename CONFIG_T::step_t step[CONFIG_T::n_step]) {
    #pragma HLS ARRAY_PARTITION variable=levels complete
    #pragma HLS ARRAY_PARTITION variable=base complete
    #pragma HLS ARRAY_PARTITION variable=step complete
    typedef thresholds_op<typename data_T::value_type, typename res_T::value_type, CONFIG_T> op;
    map_stream<op, CONFIG_T::n_in, CONFIG_T::n_chan>(data, res, levels, base, step);
}

template <class data_T, class res_T, class CONFIG_T>
void lut(hls::stream<data_T> &data, hls::stream<res_T> &res, const typename CONFIG_T::table_t table[CONFIG_T::n_table]) {
    typedef lut_op<typename data_T::value_type, typename res_T::value_type, CONFIG_T> op;
    map_stream<op, CONFIG_T::n_in, 1>(data, res, table);
}

template <class data_T, class res_T, class CONFIG_T>
void argmax(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    data_T in;
    typename data_T::value_type best = 0;
    unsigned taken = data_T::size, winner = 0;
    for (unsigned n = 0; n < CONFIG_T::n_in; n++) {
        #pragma HLS PIPELINE
        if (taken == data_T::size) {
            in = data.read();
            taken = 0;
        }
        const unsigned c = n % CONFIG_T::n_chan;
        if (c == 0 || in[taken] > best) {
            best = in[taken];
            winner = c;
        }
        taken++;
        if (c == CONFIG_T::n_chan - 1) {
            res_T out;
            out[0] = (typename res_T::value_type)winner;
            res.write(out);
        }
    }
}

// hls4ml's own pooling on streams wants strides as large as the window.
template <class data_T, class res_T, class CONFIG_T>
void max_pool(hls::stream<data_T> &data, hls::stream<res_T> &res) {
    data_T lines[CONFIG_T::pool_height][CONFIG_T::in_width]; // the last rows, in a ring: order plays no part
    #pragma HLS ARRAY_PARTITION variable=lines complete dim=1
    for (unsigned y = 0; y < CONFIG_T::in_height; y++) {
        for (unsigned x = 0; x < CONFIG_T::in_width; x++) {
            #pragma HLS PIPELINE
            lines[y % CONFIG_T::pool_height][x] = data.read();
            const bool row_ends = y + 1 >= CONFIG_T::pool_height && (y + 1 - CONFIG_T::pool_height) % CONFIG_T::stride_height == 0;
            const bool window_ends = x + 1 >= CONFIG_T::pool_width && (x + 1 - CONFIG_T::pool_width) % CONFIG_T::stride_width == 0;
            if (row_ends && window_ends) {
                res_T out;
                for (unsigned c = 0; c < CONFIG_T::n_chan; c++) {
                    #pragma HLS UNROLL
                    typename data_T::value_type best = lines[0][x][c];
                    for (unsigned i = 0; i < CONFIG_T::pool_height; i++) {
                        for (unsigned j = 0; j < CONFIG_T::pool_width; j++) {
                            const typename data_T::value_type v = lines[i][x - j][c];
                            best = v > best ? v : best;
                        }
                    }
                    out[c] = best;
                }
                res.write(out);
            }
        }
    }
}

} // namespace bitsmith

#endif
