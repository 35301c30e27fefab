#pragma once

#include "membership/conf_change.hpp"

#include <optional>

namespace caucus::membership {

enum class change_mode : uint8_t {
  automatic, ///< Simple if at most one voter differs, else joint.
  simple,    ///< Refused if more than one voter differs.
  joint,     ///< Always by a joint phase, which the leader ends by itself.
};

/// What somebody asks the leader to change, all at once or not at all.
struct change_request {
  std::vector<member_change> changes;
  std::optional<index_t> expected_id; ///< Refused unless the configuration has this number.
  change_mode mode = change_mode::automatic;
  /// Also at the price of availability: takes voters that have not caught up, so that an entry may
  /// wait for a member that has to receive the whole log first, and voters of whom no majority has
  /// answered lately, so that nothing may commit before some of them are back.
  bool even_if_behind = false;

  friend bool operator==(const change_request&, const change_request&) = default;
};

/// The configuration that the request leads to, joint if that takes a joint phase. Unlike the
/// functions below it (conf_change.hpp), every change has to change something: asking twice, for a
/// member that isn't there, or for an address that isn't given is a mistake that its maker wants to
/// hear of. A refusal is `invalid_change` with its reason. Precondition: `before` isn't joint.
result<configuration> plan_change(const configuration& before, const change_request& request);

/// On its one hop to the leader. Bounded by `members_max` changes.
std::vector<std::byte> encode(const change_request& x);
std::optional<change_request> decode_change_request(std::span<const std::byte> bytes);

} // namespace caucus::membership
