// Plays a fuzzer's target without libFuzzer, so that every build runs it: the files of a folder,
// and as many samples of the target's own mutator as asked for, changed a little.
//   fuzz_wal FOLDER SAMPLES
#include "base/rng.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed);
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

namespace {

constexpr size_t input_bytes_max = 4096;

caucus::rng& random_bytes() {
  static caucus::rng random{1};
  return random;
}

} // namespace

/// What libFuzzer brings along: here a byte or a few are changed.
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t) {
  for (auto count = size == 0 ? 0 : 1 + random_bytes().below(3); count > 0; --count)
    data[random_bytes().below(size)] = static_cast<uint8_t>(random_bytes().next());
  return size;
}

int main(int argc, char** argv) {
  if (argc != 3)
    return 2;
  std::vector<std::filesystem::path> files;
  for (const auto& x : std::filesystem::directory_iterator{argv[1]})
    files.push_back(x.path());
  std::sort(files.begin(), files.end());
  for (const auto& path : files) {
    std::ifstream file{path, std::ios::binary};
    const std::vector<char> input{std::istreambuf_iterator<char>{file}, {}};
    std::printf("%s\n", path.filename().c_str()); // The last one named is the one that failed.
    std::fflush(stdout);
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
  }
  std::vector<uint8_t> input(input_bytes_max);
  size_t size = 0;
  const auto samples = static_cast<unsigned>(std::atoi(argv[2]));
  for (unsigned seed = 0; seed < samples; ++seed) {
    // Every fourth is a sound one, the others are changed from it step by step.
    size = LLVMFuzzerCustomMutator(input.data(), size, input.size(),
                                   seed % 4 == 0 ? seed * 16 : seed * 32 + 1);
    LLVMFuzzerTestOneInput(input.data(), size);
  }
  std::printf("%zu files, %u samples\n", files.size(), samples);
  return files.empty() ? 1 : 0;
}
