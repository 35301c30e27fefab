#include "base/errc.hpp"

namespace caucus {

std::string_view to_string(errc code) noexcept {
  switch (code) {
    case errc::none: return "none";
    case errc::not_leader: return "not_leader";
    case errc::no_leader: return "no_leader";
    case errc::proposal_dropped: return "proposal_dropped";
    case errc::proposal_too_large: return "proposal_too_large";
    case errc::overwritten: return "overwritten";
    case errc::session_expired: return "session_expired";
    case errc::session_gap: return "session_gap";
    case errc::session_window: return "session_window";
    case errc::sessions_exhausted: return "sessions_exhausted";
    case errc::session_stale: return "session_stale";
    case errc::stopping: return "stopping";
    case errc::no_such_group: return "no_such_group";
    case errc::rejected_by_machine: return "rejected_by_machine";
    case errc::invalid_proposal: return "invalid_proposal";
    case errc::read_unconfirmed: return "read_unconfirmed";
    case errc::handing_over: return "handing_over";
    case errc::invalid_target: return "invalid_target";
    case errc::transfer_failed: return "transfer_failed";
    case errc::change_in_flight: return "change_in_flight";
    case errc::change_too_early: return "change_too_early";
    case errc::configuration_mismatch: return "configuration_mismatch";
    case errc::invalid_change: return "invalid_change";
    case errc::change_without_majority: return "change_without_majority";
    case errc::not_member: return "not_member";
    case errc::snapshot_failed: return "snapshot_failed";
    case errc::storage_full: return "storage_full";
    case errc::timeout: return "timeout";
    case errc::leadership_lost: return "leadership_lost";
    case errc::snapshot_passed: return "snapshot_passed";
    case errc::node_stopped: return "node_stopped";
    case errc::cancelled: return "cancelled";
    case errc::reply_lost: return "reply_lost";
    case errc::left_group: return "left_group";
    case errc::wal_io_failed: return "wal_io_failed";
    case errc::wal_corrupt: return "wal_corrupt";
    case errc::invariant_violated: return "invariant_violated";
    case errc::machine_failed: return "machine_failed";
    case errc::io_failed: return "io_failed";
    case errc::wal_truncated: return "wal_truncated";
    case errc::no_space: return "no_space";
    case errc::invalid_argument: return "invalid_argument";
    case errc::invalid_option: return "invalid_option";
    case errc::identity_mismatch: return "identity_mismatch";
    case errc::in_use: return "in_use";
    case errc::not_found: return "not_found";
    case errc::version_mismatch: return "version_mismatch";
    case errc::malformed: return "malformed";
    case errc::unreachable: return "unreachable";
    case errc::already_exists: return "already_exists";
  }
  return "unknown_code";
}

} // namespace caucus
