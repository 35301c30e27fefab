#pragma once

#include "base/errc.hpp"
#include "base/ids.hpp"

#include <chrono>
#include <map>

namespace caucus {

/// What has been said to people about peers that don't get in: a peer that stays away is dialled,
/// and a refused one dials, many times a minute for ever. Says which news is worth a line: the
/// first of its kind since the peer was last connected, then one a minute as a reminder. Kinds, not
/// texts, because texts hold ports, boots and byte counts that differ each time.
class peer_notices {
public:
  using time_point = std::chrono::steady_clock::time_point;

  static constexpr std::chrono::minutes reminder_period{1};
  /// Strangers can claim any id: beyond this many of them all share one.
  static constexpr size_t kinds_max = 64;

  [[nodiscard]] bool is_due(node_id peer, errc kind, time_point now) {
    if (said_.size() >= kinds_max)
      std::erase_if(said_, [&](auto& x) { return now - x.second >= reminder_period; });
    key what{peer, kind};
    if (said_.size() >= kinds_max && !said_.contains(what))
      what.first = node_id{};
    auto [found, is_first] = said_.try_emplace(what, now);
    if (!is_first && now - found->second < reminder_period)
      return false;
    found->second = now;
    return true;
  }

  /// The state changed: whatever comes now is news.
  void clear() { said_.clear(); }

private:
  using key = std::pair<node_id, errc>;

  std::map<key, time_point> said_; ///< When last.
};

} // namespace caucus
