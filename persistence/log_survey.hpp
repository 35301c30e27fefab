#pragma once

#include "persistence/file.hpp"
#include "persistence/log_end.hpp"
#include "persistence/log_visitor.hpp"
#include "persistence/read_window.hpp"

#include <map>

namespace caucus::persistence {

/// Walks over a whole log in whatever state it is, and goes on behind what can't be read: for those
/// who look at a log, while a start stops at the first thing it must refuse. Where the log ends it
/// decides as a start does (docs/wal_format.md, section 8). Writes nothing.
class log_survey {
public:
  log_survey(directory& dir, log_visitor& visitor);

  /// Fails only if the directory can't be listed: a file that can't be read is a problem told.
  result<void> run();

private:
  result<void> find_segments();
  void check_names();
  void check_header(const surveyed_segment& segment);
  void survey_segment(const surveyed_segment& segment);
  /// Where the part of the file that means something ends.
  result<uint64_t> walk(read_window& window, const surveyed_segment& segment);
  /// Steps over one batch, or over what can't be read; false at the end of the segment's log.
  result<bool> step(read_window& window, const surveyed_segment& segment);
  result<bool> step_over_unreadable(read_window& window, const surveyed_segment& segment);
  /// Why a start knows that this batch was durable; empty if it may never have been completed.
  result<std::string> proof_of(uint64_t batch, read_window& window,
                               const surveyed_segment& segment);
  void walk_records(std::span<const std::byte> batch, const batch_header& header);
  /// That isn't there, or can't be read.
  [[nodiscard]] log_end::expected next_batch(const surveyed_segment& segment) const;
  [[nodiscard]] const surveyed_segment* after(const surveyed_segment& segment) const;
  void report(uint64_t offset, std::string part, std::string what, bool is_damage = true);

  directory& directory_;
  log_visitor& visitor_;
  std::map<uint64_t, surveyed_segment> segments_;
  std::map<uint64_t, std::string> header_flaws_;
  uint64_t oldest_ = 0;      ///< Segments before aren't needed, says the newest one's header ...
  uint64_t needed_from_ = 0; ///< ... and later some record.
  directory_id directory_id_;
  log_position at_;
  uint64_t last_batch_ = 0;
  boot_count epoch_;
  uint64_t proven_upto_ = 0; ///< What the newest segment's headers say to be durable ...
  bool is_searched_ = false; ///< ... once they have been looked for.
};

/// Why a sound record's body means nothing; empty if it does.
std::string find_flaw(const record_header& header, std::span<const std::byte> body);

} // namespace caucus::persistence
