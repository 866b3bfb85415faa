// Runs the project's top function on rows of integers, through hls4ml's own bridge.
//
// run ROWS N_IN N_OUT INPUT OUTPUT [TAPS SIZES]
//   INPUT, OUTPUT, TAPS: rows of native doubles, which hold integers up to 2^53 exactly
//   SIZES: lines "layer size", the layers to be recorded, in the order of TAPS
// One translation unit with the project's own sources (TOP_SOURCE and BRIDGE_SOURCE are set on the command
// line), since most of the compile time goes into headers that they share.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include TOP_SOURCE
#include BRIDGE_SOURCE

typedef std::vector<std::pair<std::string, size_t>> Taps;

// Some of hls4ml's bridges also report sizes, which nobody needs here.
static void call(void (*top)(double *, double *), double *in, double *out) { top(in, out); }
static void call(void (*top)(double *, double *, unsigned short &, unsigned short &), double *in, double *out) {
    unsigned short n_in, n_out;
    top(in, out, n_in, n_out);
}

static Taps read_sizes(const char *path) {
    Taps taps;
    std::ifstream file(path);
    std::string name;
    size_t size;
    while (file >> name >> size)
        taps.push_back(std::make_pair(name, size));
    return taps;
}

static void write_taps(const Taps &taps, size_t stored, std::ofstream &file) {
    std::vector<trace_data> traces(stored);
    collect_trace_output(traces.data());
    for (const auto &tap : taps)
        for (const auto &trace : traces)
            if (tap.first == trace.name)
                file.write((const char *)trace.data, tap.second * sizeof(double));
}

int main(int argc, char **argv) {
    if (argc != 6 && argc != 8) {
        std::fprintf(stderr, "usage: run ROWS N_IN N_OUT INPUT OUTPUT [TAPS SIZES]\n");
        return 2;
    }
    const size_t rows = std::atol(argv[1]);
    std::vector<double> in(std::atol(argv[2])), out(std::atol(argv[3]));
    std::ifstream input(argv[4], std::ios::binary);
    std::ofstream output(argv[5], std::ios::binary), record;
    Taps taps;
    if (argc == 8) {
        record.open(argv[6], std::ios::binary);
        taps = read_sizes(argv[7]);
        allocate_trace_storage(sizeof(double));
    }
    for (size_t row = 0; row < rows; row++) {
        if (!input.read((char *)in.data(), in.size() * sizeof(double))) {
            std::fprintf(stderr, "%s ends before row %zu\n", argv[4], row);
            return 3;
        }
        call(TOP_DOUBLE, in.data(), out.data());
        output.write((const char *)out.data(), out.size() * sizeof(double));
        if (argc == 8)
            write_taps(taps, taps.size(), record);
    }
    if (argc == 8)
        free_trace_storage();
    return output.good() ? 0 : 4;
}
