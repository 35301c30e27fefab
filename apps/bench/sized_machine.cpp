#include "apps/bench/sized_machine.hpp"

#include "base/rng.hpp"

#include <algorithm>
#include <cstring>

namespace caucus::bench {

namespace {

constexpr size_t head_bytes = 16;
constexpr size_t block_bytes = size_t{256} << 10;

/// The state is this block again and again, each time beginning with its number.
class block {
public:
  block() : bytes_(block_bytes) {
    rng random{1};
    for (size_t at = 0; at < block_bytes; at += sizeof(uint64_t)) {
      const auto word = random.next();
      std::memcpy(bytes_.data() + at, &word, sizeof word);
    }
  }

  std::span<const std::byte> numbered(uint64_t number, uint64_t bytes_max) {
    std::memcpy(bytes_.data(), &number, sizeof number);
    return std::span<const std::byte>{bytes_}.first(std::min<uint64_t>(block_bytes, bytes_max));
  }

private:
  std::vector<std::byte> bytes_;
};

class sized_view final : public snapshot_view {
public:
  sized_view(uint64_t commands, uint64_t state_bytes) noexcept
    : commands_{commands}, state_bytes_{state_bytes} {}

  result<void> write(snapshot_sink& into) const override {
    std::vector<std::byte> head;
    byte_writer out{head};
    out.u64(commands_);
    out.u64(state_bytes_);
    if (auto done = into.write(head); !done)
      return done;
    block content;
    for (uint64_t number = 0, left = state_bytes_; left > 0; ++number) {
      const auto part = content.numbered(number, left);
      if (auto done = into.write(part); !done)
        return done;
      left -= part.size();
    }
    return {};
  }

private:
  uint64_t commands_;
  uint64_t state_bytes_;
};

} // namespace

shared_bytes sized_machine::command_of(uint64_t state_bytes) {
  std::vector<std::byte> bytes;
  byte_writer{bytes}.u64(state_bytes);
  return shared_bytes::copy_of(bytes);
}

apply_result sized_machine::apply(const apply_context&, const shared_bytes& command) {
  ++commands_;
  if (command.size() == sizeof(uint64_t)) {
    byte_reader in{command.span()};
    state_bytes_ = in.u64();
  }
  return shared_bytes{};
}

std::unique_ptr<snapshot_view> sized_machine::take_view() const {
  return std::make_unique<sized_view>(commands_, state_bytes_);
}

result<void> sized_machine::restore(snapshot_source& from) {
  std::vector<std::byte> head(head_bytes);
  if (auto done = read_exactly(from, head); !done)
    return done;
  byte_reader in{head};
  commands_ = in.u64();
  state_bytes_ = in.u64();
  block content;
  std::vector<std::byte> read(block_bytes);
  for (uint64_t number = 0, left = state_bytes_; left > 0; ++number) {
    const auto expected = content.numbered(number, left);
    const auto got = std::span{read}.first(expected.size());
    if (auto done = read_exactly(from, got); !done)
      return done;
    if (!std::equal(got.begin(), got.end(), expected.begin(), expected.end()))
      return error{errc::malformed, "the state that came is not the one that was written"};
    left -= expected.size();
  }
  return {};
}

} // namespace caucus::bench
