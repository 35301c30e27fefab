#pragma once

#include "persistence/batch_header.hpp"
#include "persistence/entries_codec.hpp"
#include "persistence/log_index.hpp"
#include "persistence/record.hpp"
#include "persistence/recovered_tail.hpp"
#include "persistence/wal_options.hpp"
#include "persistence/wal_recovery.hpp"

#include <map>
#include <unordered_map>

namespace caucus::persistence {

/// Executes the log's records in order: what is left at the end is what the node remembers.
class wal_replay {
public:
  /// `is_front_missing`: segments were removed, so that groups may be met before it is known what
  /// they are.
  wal_replay(const wal_options& options, std::shared_ptr<log_index> index,
             bool is_front_missing = false);

  /// `batch` is the whole batch that begins at `place`; its framing is right. `is_intact`: its
  /// checksum too. If not, each record's own is looked at, and a group whose record is damaged is
  /// quarantined. `wal_corrupt` if it can't be attributed; `version_mismatch` for a record of a
  /// newer build. The error says where in the file.
  result<void> apply(std::span<const std::byte> batch, const batch_header& header,
                     log_position place, bool is_intact);

  /// Groups, tombstones, peers and the founding; the newest entries are read from `log` again.
  /// `wal_corrupt` if what some group is was never said.
  result<void> finish(segment_files& log, wal_recovery& into);

  /// Segments before this one aren't needed any more, the log says.
  [[nodiscard]] uint64_t needed_from() const noexcept { return needed_from_; }

  /// For the warning about a torn tail: how far some of the groups' logs reach.
  [[nodiscard]] std::string describe_ends() const;

private:
  struct group_state {
    recovered_group found;
    bool is_described = false; ///< What the group is was said.
    log_position met_at;       ///< The batch of its first record, if that wasn't its creation.
    recovered_tail tail;
  };

  struct located_record {
    record_header header;
    std::span<const std::byte> body;
    uint32_t offset = 0; ///< In the batch.
  };

  result<void> apply_record(const located_record& record, bool is_intact);
  result<void> apply_node_record(const located_record& record);
  result<void> apply_group_created(const located_record& record);
  result<void> apply_group_deleted(const located_record& record);
  result<void> apply_group_record(const located_record& record);
  // What these return is a reason to quarantine the group.
  std::optional<std::string> apply_to_group(group_state& group, const located_record& record);
  std::optional<std::string> apply_entries(group_state& group, const located_record& record);
  std::optional<std::string> apply_truncation(group_state& group, const located_record& record);
  std::optional<std::string> apply_moved(group_state& group, const located_record& record);
  std::optional<std::string> apply_checkpoint(group_state& group, const located_record& record);
  /// The group; null if it can't be there. May begin one whose beginning was in a removed segment.
  group_state* meet(const record_header& header);
  [[nodiscard]] record_place place_of(const located_record& record) const;
  [[nodiscard]] recovered_tail::record_body body_of(const located_record& record) const;
  std::optional<std::string> apply_snapshot(group_state& group, const located_record& record);
  /// Why the log can't begin after this entry.
  [[nodiscard]] std::optional<std::string> check_cut(const group_state& group,
                                                     raft::entry_id begins_after) const;
  static void cut(group_state& group, const raft::snapshot_boundary& begins_after, bool restarts);
  [[nodiscard]] std::optional<std::string> find_gap(const recovered_group& found,
                                                    const log_index::summary& log) const;
  /// False if its payload doesn't decode.
  static bool note_configuration(group_state& group, const entries_cursor& at);
  static void forget_configurations(group_state& group, index_t from);
  void quarantine(group_state& group, const located_record& record, std::string_view reason);
  void quarantine(group_state& group, error reason);
  /// The groups' ids, ascending.
  [[nodiscard]] std::vector<group_id> ids() const;
  /// What is left of the group once all was read. Its error is one of reading, not of the group.
  result<void> finish(group_state& group, segment_files& log);
  /// Every group gets its share of the memory for recovered entries.
  void shrink(group_state& group) const;
  [[nodiscard]] error at(const located_record& record, errc code, std::string_view reason) const;

  static constexpr std::string_view undecodable =
    "the record doesn't decode although its checksum is right";

  wal_options options_;
  bool is_front_missing_;
  uint64_t needed_from_ = 1;
  std::shared_ptr<log_index> index_;
  log_changes changes_;                              ///< Of the record being applied.
  log_position place_;                               ///< Of the batch being applied.
  std::unordered_map<group_id, group_state> groups_; ///< Asked for with each record.
  std::map<group_id, group_tombstone> tombstones_;
  std::map<node_id, directory_id> peers_;
  membership::founding founding_;
};

} // namespace caucus::persistence
