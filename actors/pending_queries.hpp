#pragma once

#include "actors/interfaces.hpp"
#include "raft/input.hpp"

#include <map>
#include <optional>

namespace caucus {

/// The queries of one replica: first by request, until the core says from which index on they may
/// be answered; then by that index, until the machine was given everything up to there. Whatever
/// goes wrong with one, it is safe to ask again.
class pending_queries {
public:
  struct query {
    caller who;
    int64_t deadline_ns = 0; ///< Monotonic.
    shared_bytes question;
  };

  /// The core counts reads and proposals together: this bit tells them apart.
  static constexpr uint64_t mark = uint64_t{1} << 63;
  [[nodiscard]] static bool is_query(request_id request) noexcept {
    return (request.value() & mark) != 0;
  }

  [[nodiscard]] bool is_empty() const noexcept { return asked_.empty() && waiting_.empty(); }

  request_id add(query added);
  void set_ready(request_id request, index_t from);
  void refuse(request_id request, const outcome& result);
  /// Those that wait for an index after this one, which will never be applied here.
  void refuse_after(index_t index);
  /// Those that a machine may answer which was given everything up to `handed_out`.
  [[nodiscard]] std::vector<machine_query> take_due(index_t handed_out);
  void expire(int64_t now_ns);
  void answer_all(const outcome& told);

private:
  uint64_t last_ = mark;
  std::map<uint64_t, query> asked_;       ///< By request.
  std::multimap<index_t, query> waiting_; ///< By index.
  int64_t next_deadline_ns_ = INT64_MAX;  ///< No deadline is earlier.
};

} // namespace caucus
