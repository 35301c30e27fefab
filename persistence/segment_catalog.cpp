#include "persistence/segment_catalog.hpp"

#include "persistence/read_window.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace caucus::persistence {

namespace {

std::string describe(const wal_identity& x) {
  return "node " + std::to_string(x.node.value()) + " of cluster " + to_string(x.cluster);
}

result<bool> is_zero_after(file& content, uint64_t offset, uint64_t size) {
  constexpr size_t step = size_t{1} << 20;
  read_window window{content, step};
  for (; offset < size; offset += step) {
    auto bytes = window.at(offset, step);
    if (!bytes)
      return std::move(bytes).reason();
    if (std::any_of(bytes->begin(), bytes->end(), [](std::byte x) { return x != std::byte{0}; }))
      return false;
  }
  return true;
}

/// The header of one file, or nothing if the file was never finished: nothing follows its header,
/// so nothing in it was ever acknowledged (RELIABILITY W-05).
result<std::optional<segment_catalog::segment>> read_segment(const directory& dir, file& content,
                                                             uint64_t sequence, bool is_newest) {
  auto size = content.size();
  if (!size)
    return std::move(size).reason();
  std::array<std::byte, segment_header_used> bytes{};
  auto done = content.read_at(0, bytes);
  if (!done)
    return std::move(done).reason();
  auto header = decode_segment_header(std::span{bytes}.first(*done));
  if (header && header->sequence == sequence)
    return std::optional{segment_catalog::segment{*header, *size}};
  const auto name = segment_name(sequence);
  if (header)
    return damaged_log(dir, name + " says that it is " + segment_name(header->sequence));
  if (header.reason().code == errc::version_mismatch)
    return error{errc::version_mismatch,
                 dir.path() + "/" + name + ": " + std::move(header).reason().what};
  if (is_newest) {
    auto is_unfinished = is_zero_after(content, segment_header_bytes, *size);
    if (!is_unfinished)
      return std::move(is_unfinished).reason();
    if (*is_unfinished)
      return std::optional<segment_catalog::segment>{};
  }
  return damaged_log(dir, name + ": " + std::move(header).reason().what);
}

/// The names of all segments, and in `found.leftovers` those of files never finished.
result<std::vector<uint64_t>> list_segments(directory& dir, segment_catalog& found) {
  auto names = dir.list();
  if (!names)
    return std::move(names).reason();
  std::vector<uint64_t> sequences;
  for (const auto& name : *names) {
    if (const auto sequence = parse_segment_name(name))
      sequences.push_back(*sequence);
    else if (is_unfinished_segment_name(name))
      found.leftovers.push_back(name);
  }
  std::sort(sequences.begin(), sequences.end());
  return sequences;
}

result<void> check_identity(const directory& dir, const wal_identity& found,
                            const wal_identity& self) {
  if (found == self)
    return {};
  return error{errc::identity_mismatch, "directory " + dir.path() + " belongs to " + describe(found)
                                          + " (this is " + describe(self)
                                          + "); give this node a directory of its own"};
}

/// All segments from the oldest needed to the newest, of one directory, epochs never going back.
result<void> check_sequence(const directory& dir, const segment_catalog& found) {
  const auto& segments = found.segments;
  if (segments.empty())
    return {};
  auto expected = segments.front().header.sequence;
  for (const auto& x : segments) {
    if (x.header.sequence != expected)
      return damaged_log(dir, segment_name(expected) + " is missing");
    ++expected;
    if (x.header.directory != segments.front().header.directory)
      return damaged_log(dir, segment_name(x.header.sequence)
                                + " was written in another directory than the first one");
    if (x.header.epoch < segments.front().header.epoch)
      return damaged_log(dir, segment_name(x.header.sequence) + " is older than the first one");
  }
  return {};
}

} // namespace

error damaged_log(const directory& dir, std::string_view where_and_what) {
  return {errc::wal_corrupt,
          "the log in " + dir.path() + " is damaged: " + std::string{where_and_what}
            + "; restore the file from a copy made while the node was stopped, or move the "
              "directory away and let this node rejoin with an empty one"};
}

result<segment_catalog> segment_catalog::read(directory& dir, const wal_identity& self) {
  segment_catalog found;
  auto sequences = list_segments(dir, found);
  if (!sequences)
    return std::move(sequences).reason();
  // From the newest on, which tells from where on they are needed. Older names are there because a
  // collector was stopped.
  for (auto next = sequences->rbegin(); next != sequences->rend(); ++next) {
    const auto sequence = *next;
    const auto name = segment_name(sequence);
    if (!found.segments.empty() && sequence < found.segments.front().header.oldest_segment) {
      found.leftovers.push_back(name);
      continue;
    }
    auto content = dir.open(name);
    if (!content)
      return std::move(content).reason();
    auto segment = read_segment(dir, **content, sequence, sequence == sequences->back());
    if (!segment)
      return std::move(segment).reason();
    if (!*segment) {
      found.warnings.push_back(dir.path() + "/" + name
                               + " was being made when the node stopped; it is removed");
      found.leftovers.push_back(name);
      continue;
    }
    if (auto same = check_identity(dir, (*segment)->header.identity, self); !same)
      return std::move(same).reason();
    found.segments.push_back(**segment);
  }
  std::reverse(found.segments.begin(), found.segments.end());
  if (auto checked = check_sequence(dir, found); !checked)
    return std::move(checked).reason();
  return found;
}

} // namespace caucus::persistence
