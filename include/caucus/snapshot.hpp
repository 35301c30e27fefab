#pragma once

#include "caucus/error.hpp"

#include <cstddef>
#include <span>

namespace caucus {

/// Takes a machine's state in pieces of any size. An error (a full disk, say) ends the snapshot:
/// pass it on.
class snapshot_sink {
public:
  virtual ~snapshot_sink() = default;

  virtual result<void> write(std::span<const std::byte> bytes) = 0;
};

/// Gives back what was written to a sink, in the same order, in pieces of other sizes. Its bytes
/// are checked: what is damaged is an error, never a wrong byte.
class snapshot_source {
public:
  virtual ~snapshot_source() = default;

  /// Fills `into` from the front; fewer bytes than asked for only at the end, then 0.
  virtual result<size_t> read(std::span<std::byte> into) = 0;
};

/// Fills all of `into`; `malformed` if the snapshot ends before.
result<void> read_exactly(snapshot_source& from, std::span<std::byte> into);

/// A machine's state as of one index, to be written out while the machine goes on: a copy, or a
/// structure that shares what doesn't change. Used on another thread than the machine's.
class snapshot_view {
public:
  virtual ~snapshot_view() = default;

  /// Equal states write equal bytes.
  virtual result<void> write(snapshot_sink& into) const = 0;
};

} // namespace caucus
