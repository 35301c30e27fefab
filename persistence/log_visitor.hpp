#pragma once

#include "persistence/batch_header.hpp"
#include "persistence/log_position.hpp"
#include "persistence/record.hpp"
#include "persistence/segment_header.hpp"

#include <string>

namespace caucus::persistence {

/// A segment's file as a survey found it.
struct surveyed_segment {
  uint64_t sequence = 0;                ///< By its name.
  uint64_t bytes = 0;                   ///< Of the file.
  std::optional<segment_header> header; ///< Nothing if it can't be read.
};

struct surveyed_record {
  log_position at;
  uint64_t batch = 0; ///< The number of the batch it is in.
  record_header header;
  std::span<const std::byte> body;
  bool is_sound = false; ///< Its checksum is right, its kind is known and its body decodes.
};

/// Something that isn't as it should be.
struct log_problem {
  std::string file; ///< Its name in the directory.
  uint64_t offset = 0;
  std::string part; ///< Which part of the log: "segment header", "batch 7", "batch 7, hard state".
  std::string what;
  bool is_damage = true; ///< False: a start puts it right by itself, and nothing durable is lost.
};

/// Told by a `log_survey` what it meets, in the order of the log.
class log_visitor {
public:
  virtual ~log_visitor() = default;

  virtual void on_segment(const surveyed_segment&) {}
  virtual void on_batch(log_position, const batch_header&) {}
  virtual void on_record(const surveyed_record&) {}
  virtual void on_problem(const log_problem&) {}
  /// `bytes` of the file are batches and the header; what is behind means nothing.
  virtual void on_segment_end(const surveyed_segment&, uint64_t /*bytes*/) {}
};

} // namespace caucus::persistence
