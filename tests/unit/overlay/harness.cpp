// Plays the AXI DMA of an overlay: sends batches of words, each ended by tlast, and gathers what comes back.
//   harness WORDS_IN WORDS_OUT STALL_PERCENT SEED WORDS_OF_A_BATCH...
// Prints the words that came back up to each tlast.  IN_WORD and OUT_WORD are bytes.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "Vdemo_axis_dma.h"
#include "verilated.h"

namespace {

uint64_t state;

bool stall(int percent) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return static_cast<int>((state >> 33) % 100) < percent;
}

int fail(const char* text) {
  std::fprintf(stderr, "%s\n", text);
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) return fail("usage: harness WORDS_IN WORDS_OUT STALL_PERCENT SEED WORDS_OF_A_BATCH...");
  const int percent = std::atoi(argv[3]);
  state = std::strtoull(argv[4], nullptr, 10) * 2654435769u + 88172645463325252u;
  std::vector<size_t> ends;
  for (int i = 5; i < argc; ++i) ends.push_back((ends.empty() ? 0 : ends.back()) + std::strtoull(argv[i], nullptr, 10));

  std::vector<uint8_t> in(ends.back() * IN_WORD), out;
  std::FILE* file = std::fopen(argv[1], "rb");
  if (!file || std::fread(in.data(), IN_WORD, ends.back(), file) != ends.back()) return fail("cannot read the words");
  std::fclose(file);

  VerilatedContext context;
  Vdemo_axis_dma top{&context};
  top.aclk = 0;
  top.aresetn = 0;
  top.s_axis_tvalid = 0;
  top.m_axis_tready = 0;
  for (int i = 0; i < 4; ++i) {
    top.eval();
    top.aclk = 1;
    top.eval();
    top.aclk = 0;
  }
  top.aresetn = 1;

  size_t sent = 0, batch = 0, back = 0, words = 0;
  bool offered = false;
  for (long idle = 0; back < ends.size();) {
    offered = offered || (sent < ends.back() && !stall(percent));
    top.s_axis_tvalid = offered;
    if (offered) {
      std::memcpy(&top.s_axis_tdata, &in[sent * IN_WORD], IN_WORD);
      top.s_axis_tlast = sent + 1 == ends[batch];
    }
    top.m_axis_tready = !stall(percent);
    top.eval();
    const bool taken = offered && top.s_axis_tready;
    const bool came = top.m_axis_tvalid && top.m_axis_tready;
    if (came) {
      const uint8_t* word = reinterpret_cast<const uint8_t*>(&top.m_axis_tdata);
      out.insert(out.end(), word, word + OUT_WORD);
      ++words;
      if (uint32_t{top.m_axis_tkeep} != (1u << OUT_WORD) - 1) return fail("tkeep");
      if (top.m_axis_tlast) {
        std::printf("%zu\n", words);
        words = 0;
        ++back;
        if (back > batch + (sent == ends[batch] ? 1 : 0)) return fail("tlast before the batch was sent");
      }
    }
    if (taken) {
      offered = false;
      if (++sent == ends[batch] && batch + 1 < ends.size()) ++batch;
    }
    idle = taken || came ? 0 : idle + 1;
    if (idle > 100000) return fail("nothing moves");
    top.aclk = 1;
    top.eval();
    top.aclk = 0;
  }
  file = std::fopen(argv[2], "wb");
  std::fwrite(out.data(), 1, out.size(), file);
  std::fclose(file);
  return 0;
}
