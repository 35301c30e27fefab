// libFuzzer: whatever bytes a log has, it is read as what a writer wrote, or refused, or the groups
// that it concerns are; what is read stays so over the next start, and the node can go on writing.
// Checksums are put right, so that what lies behind them is reached. Build with
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I.
//     tests/fuzz/wal_{fuzz,decoder_checks,log_checks}.cpp
//     apps/sim/disk/memory_directory.cpp $(ls persistence/*.cpp | grep -v posix)
//     membership/{configuration,configuration_codec,endpoint_codec,founding}.cpp
//     raft/term_runs.cpp base/{assert,crc32c,errc,ids}.cpp
// The test "fuzz: wal" plays tests/fuzz/wal and some thousand samples on every compiler.
#include "tests/fuzz/wal_checks.hpp"
#include "tests/fuzz/wal_samples.hpp"

using namespace caucus;
using namespace caucus::testing;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 3)
    return 0;
  const auto input = std::as_bytes(std::span{data, size});
  fuzz_bytes bytes(input.begin() + 3, input.end());
  const bool is_mended = data[1] % 4 != 0;
  switch (data[0] % 8) {
    case 0: check_batch_header(std::move(bytes), is_mended); break;
    case 1: check_record_header(std::move(bytes), is_mended); break;
    case 2: check_segment_header(std::move(bytes), is_mended); break;
    case 3: check_body(bytes); break;
    default: check_log(std::move(bytes), data[1], data[2]);
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed);
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  // Without a corpus: now and then start over from a sound input, one time in two as it is.
  if (seed % 32 == 0 || size < 4) {
    const auto input = sound_input(seed / 32);
    if (input.size() <= max_size) {
      std::memcpy(data, input.data(), input.size());
      size = input.size();
      if (seed % 64 == 0)
        return size;
    }
  }
  return LLVMFuzzerMutate(data, size, max_size);
}
