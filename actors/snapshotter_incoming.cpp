// The other half of snapshotter: what peers send.

#include "actors/snapshot_boundary_codec.hpp"
#include "actors/snapshotter.hpp"

#include <algorithm>

namespace caucus {

namespace {

/// More at a time would only make all of them late.
constexpr size_t receiving_max = 8;

} // namespace

result<persistence::snapshot_offer> snapshotter::judge(const transport::bulk_message& x,
                                                       const transport::snapshot_offer& offered) {
  const auto identity = decode_snapshot_identity(offered.boundary.span());
  if (!identity || identity->name.group != x.group)
    return error{errc::malformed, "the offer doesn't say which snapshot it is"};
  if (identity->cluster != store_->cluster())
    return error{errc::identity_mismatch, "the snapshot is of another cluster"};
  if (!node_->routes.find(x.group))
    return error{errc::no_such_group, "the group isn't open here"};
  if (!node_->room.is_there())
    return error{errc::storage_full, node_->room.why_not()};
  const persistence::snapshot_offer offer{*identity, offered.total_bytes};
  const auto found = receiving_.find(x.group);
  if (found != receiving_.end() && found->second->index() > identity->name.last.index)
    return error{errc::already_exists, "a newer snapshot is on its way"};
  if (found == receiving_.end() && receiving_.size() >= receiving_max) {
    const auto idle = std::find_if(receiving_.begin(), receiving_.end(), [](const auto& one) {
      return one.second->now == incoming_snapshot::source{};
    });
    if (idle == receiving_.end())
      return error{errc::proposal_dropped, "too many snapshots are on their way; try again"};
    receiving_.erase(idle);
  }
  return offer;
}

void snapshotter::on_body(node_id from, const transport::bulk_message& x,
                          const transport::snapshot_offer& y) {
  const auto answer = [&](transport::snapshot_answer body) {
    tell(from, {x.group, x.transfer, std::move(body)});
  };
  auto offer = judge(x, y);
  if (!offer) {
    answer(transport::snapshot_answer{offer.reason().code, offer.reason().what, 0});
    return;
  }
  auto& known = receiving_[x.group];
  // What another leader sends may be other bytes, also at the same place: none are mixed (N-04).
  if (!known || !known->is_of(*offer)) {
    known = nullptr; // Removes what has come of it.
    auto made = incoming_snapshot::create(store_->directory(), *offer);
    if (!made) {
      receiving_.erase(x.group);
      answer(transport::snapshot_answer{made.reason().code, made.reason().what, 0});
      return;
    }
    known = *std::move(made);
  }
  known->now = {from, x.transfer};
  known->shown = node_->transfers.begin(x.group, {.peer = from.value(),
                                                  .is_incoming = true,
                                                  .index = known->index().value(),
                                                  .bytes = known->received(),
                                                  .file_bytes = known->file_bytes()});
  node_->log().info(
    "event=snapshot_offered group=" + std::to_string(x.group.value()) + " from="
    + std::to_string(from.value()) + " index=" + std::to_string(known->index().value()) + " bytes="
    + std::to_string(known->file_bytes()) + " resume_at=" + std::to_string(known->received()));
  answer(transport::snapshot_answer{errc::none, {}, known->received()});
}

void snapshotter::on_body(node_id from, const transport::bulk_message& x,
                          const transport::snapshot_chunk& y) {
  const auto answer = [&](transport::bulk_body body) {
    tell(from, {x.group, x.transfer, std::move(body)});
  };
  const auto found = receiving_.find(x.group);
  if (found == receiving_.end()
      || found->second->now != incoming_snapshot::source{from, x.transfer}) {
    answer(transport::snapshot_done{errc::not_found, "this transfer was given up"});
    return;
  }
  auto& incoming = *found->second;
  if (auto taken = incoming.take(y); !taken) {
    answer(transport::snapshot_done{taken.reason().code, taken.reason().what});
    receiving_.erase(found);
    return;
  }
  incoming.shown->tell(incoming.received());
  if (!incoming.is_complete()) {
    answer(transport::snapshot_progress{incoming.received()});
    return;
  }
  const auto whole = std::move(found->second);
  receiving_.erase(found);
  auto got = whole->finish();
  if (!got) {
    answer(transport::snapshot_done{got.reason().code, got.reason().what});
    return;
  }
  node_->log().info("event=snapshot_received group=" + std::to_string(x.group.value())
                    + " from=" + std::to_string(from.value())
                    + " index=" + std::to_string(got->at.last.index.value())
                    + " bytes=" + std::to_string(whole->file_bytes()));
  if (auto replica = node_->routes.find(x.group))
    send(replica, group_snapshot_received{*std::move(got)});
  answer(transport::snapshot_done{});
}

} // namespace caucus
