#include "actors/machine_image.hpp"

#include "base/byte_io.hpp"

#include <algorithm>
#include <array>

namespace caucus {

namespace {

constexpr uint8_t image_version = 1;
constexpr size_t head_bytes = 1 + 8;
/// Memory is taken as bytes arrive, whatever the head announces.
constexpr size_t read_step = size_t{1} << 20;

} // namespace

result<void> read_exactly(snapshot_source& from, std::span<std::byte> into) {
  while (!into.empty()) {
    auto done = from.read(into);
    if (!done)
      return std::move(done).reason();
    if (*done == 0)
      return error{errc::malformed, "the snapshot ends " + std::to_string(into.size())
                                      + " bytes before what it should hold"};
    into = into.subspan(*done);
  }
  return {};
}

result<void> machine_image::write(snapshot_sink& into) const {
  std::vector<std::byte> head;
  byte_writer out{head};
  out.u8(image_version);
  out.u64(sessions.size());
  if (auto done = into.write(head); !done)
    return done;
  if (auto done = into.write(sessions); !done)
    return done;
  return state->write(into);
}

result<raft::session_table> read_sessions(snapshot_source& from,
                                          raft::session_table::replies rule) {
  std::array<std::byte, head_bytes> head{};
  if (auto done = read_exactly(from, head); !done)
    return std::move(done).reason();
  byte_reader in{head};
  if (const auto version = in.u8(); version != image_version)
    return error{errc::version_mismatch,
                 "the snapshot's content has version " + std::to_string(version) + ", known is "
                   + std::to_string(image_version) + ": start a newer program"};
  std::vector<std::byte> saved;
  for (auto left = in.u64(); left > 0;) {
    const auto step = std::min<uint64_t>(left, read_step);
    saved.resize(saved.size() + step);
    if (auto done = read_exactly(from, std::span{saved}.last(step)); !done)
      return std::move(done).reason();
    left -= step;
  }
  return raft::session_table::load(saved, rule);
}

} // namespace caucus
