#include "membership/change_request.hpp"

#include "membership/endpoint_codec.hpp"

namespace caucus::membership {

namespace {

using kind = enum member_change::kind;

constexpr uint8_t request_version = 2;

std::string name(node_id id) { return "node " + std::to_string(id.value()); }

error refused(std::string why) { return {errc::invalid_change, std::move(why)}; }

/// Why this part changes nothing or can't be; empty if it is sound.
std::string find_flaw(const configuration& before, const member_change& x) {
  if (x.node == node_id{})
    return "a change names no node";
  const bool is_member = before.is_member(x.node);
  const bool is_new_address =
    !x.address.host.empty()
    && (!before.addresses.contains(x.node) || before.addresses.at(x.node) != x.address);
  switch (x.kind) {
    case kind::remove: return is_member ? "" : name(x.node) + " is no member";
    case kind::update:
      if (!is_member)
        return name(x.node) + " is no member";
      if (x.address.host.empty())
        return "the new address of " + name(x.node) + " is missing";
      return is_new_address ? "" : name(x.node) + " has this address already";
    case kind::make_voter:
      if (before.voters.contains(x.node))
        return name(x.node) + " is a voter already";
      break;
    case kind::make_learner:
      if (before.learners.contains(x.node) && !before.staging.contains(x.node))
        return name(x.node) + " is a learner already";
      break;
    case kind::make_staging:
      if (before.voters.contains(x.node))
        return name(x.node) + " is a voter already";
      if (before.staging.contains(x.node))
        return name(x.node) + " is already to become a voter once it has caught up";
      break;
  }
  if (!is_member && x.address.host.empty())
    return name(x.node) + " is no member; to add it, give its address";
  return {};
}

std::string find_flaw(const member_change& x) {
  if (x.kind == kind::remove || x.address.host.empty())
    return {};
  if (x.address.host.size() > host_bytes_max)
    return "the host of " + name(x.node) + " is longer than " + std::to_string(host_bytes_max)
           + " bytes";
  if (is_unspecified(x.address) || x.address.port == 0)
    return name(x.node) + " can't be reached at " + to_string(x.address);
  return {};
}

/// Two members can't be behind one address; but who takes the place of a leaving one may take its
/// address at once.
std::string find_shared_address(const configuration& x) {
  const auto stays = [&](node_id id) {
    return x.voters.contains(id) || x.learners.contains(id) || x.learners_next.contains(id);
  };
  for (auto a = x.addresses.begin(); a != x.addresses.end(); ++a)
    for (auto b = std::next(a); b != x.addresses.end(); ++b)
      if (!a->second.host.empty() && a->second == b->second && stays(a->first) && stays(b->first))
        return name(a->first) + " and " + name(b->first) + " would both be at "
               + to_string(a->second);
  return {};
}

std::string find_flaw(const configuration& before, std::span<const member_change> changes) {
  if (changes.empty())
    return "nothing is to change";
  if (changes.size() > members_max)
    return "more than " + std::to_string(members_max) + " changes at once";
  std::set<node_id> named;
  for (const auto& x : changes) {
    if (auto flaw = find_flaw(before, x); !flaw.empty())
      return flaw;
    if (auto flaw = find_flaw(x); !flaw.empty())
      return flaw;
    if (!named.insert(x.node).second)
      return name(x.node) + " is named twice";
  }
  return {};
}

} // namespace

result<configuration> plan_change(const configuration& before, const change_request& request) {
  if (auto flaw = find_flaw(before, request.changes); !flaw.empty())
    return refused(std::move(flaw));
  auto after = request.mode == change_mode::joint ? enter_joint(before, true, request.changes)
                                                  : change_simply(before, request.changes);
  if (!after && request.mode == change_mode::automatic)
    after = enter_joint(before, true, request.changes);
  if (!after)
    return refused(after.reason().what);
  auto& members = after->members;
  if (members.members().size() > members_max)
    return refused("there would be more than " + std::to_string(members_max) + " members");
  if (auto flaw = find_shared_address(members); !flaw.empty())
    return refused(std::move(flaw));
  return std::move(members);
}

std::vector<std::byte> encode(const change_request& x) {
  std::vector<std::byte> bytes;
  byte_writer out{bytes};
  out.u8(request_version);
  out.u8(static_cast<uint8_t>(x.mode));
  out.u8(x.even_if_behind ? 1 : 0);
  out.u8(x.expected_id ? 1 : 0);
  if (x.expected_id)
    out.u64(x.expected_id->value());
  out.u32(static_cast<uint32_t>(x.changes.size()));
  for (const auto& change : x.changes) {
    out.u8(static_cast<uint8_t>(change.kind));
    out.u64(change.node.value());
    encode(change.address, out);
  }
  return bytes;
}

std::optional<change_request> decode_change_request(std::span<const std::byte> bytes) {
  byte_reader in{bytes};
  change_request x;
  const auto version = in.u8();
  const auto mode = in.u8();
  const auto even_if_behind = in.u8();
  const auto has_expected = in.u8();
  if (has_expected == 1)
    x.expected_id = index_t{in.u64()};
  const auto count = in.u32();
  if (!in.ok() || version != request_version || mode > static_cast<uint8_t>(change_mode::joint)
      || even_if_behind > 1 || has_expected > 1 || count > members_max)
    return std::nullopt;
  x.mode = static_cast<change_mode>(mode);
  x.even_if_behind = even_if_behind == 1;
  for (uint32_t i = 0; i < count && in.ok(); ++i) {
    auto& change = x.changes.emplace_back();
    const auto what = in.u8();
    change.node = node_id{in.u64()};
    change.address = decode_endpoint(in);
    if (what > static_cast<uint8_t>(kind::make_staging))
      return std::nullopt;
    change.kind = static_cast<kind>(what);
  }
  if (!in.at_end())
    return std::nullopt;
  return x;
}

} // namespace caucus::membership
