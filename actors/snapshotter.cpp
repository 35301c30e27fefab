#include "actors/snapshotter.hpp"

#include "actors/thrown.hpp"
#include "persistence/snapshot_catalog.hpp"

#include <algorithm>

namespace caucus {

namespace {

/// How long a rate limit keeps a transfer waiting at a time.
constexpr std::chrono::milliseconds pause{5};
constexpr int64_t second_ns = 1'000'000'000;
constexpr size_t untold_max = 1024;
/// To one peer at a time. More would make all of them late, and each has a file open.
constexpr size_t sending_max = 4;
/// A message that nobody answers for so long was lost: connections lose what they carried when
/// they end, and a peer may forget a transfer.
constexpr int64_t silence_max_ns = 10 * second_ns;
constexpr std::chrono::seconds unread_after{60};
/// What a client is given at a time however low the rate limit is: it then waits the longer.
constexpr uint64_t read_bytes_min = uint64_t{16} << 10;

/// A snapshot that can't be opened, read or verified for this reason won't be the next time either.
bool is_damage(errc reason) {
  return reason == errc::malformed || reason == errc::wal_corrupt || reason == errc::io_failed
         || reason == errc::not_found;
}

} // namespace

snapshotter::snapshotter(caf::actor_config& cfg, caf::execution_unit* home,
                         std::shared_ptr<const snapshot_store> store, uint64_t boot,
                         node_context_ptr node)
  : on_worker{cfg, home},
    store_{std::move(store)},
    node_{std::move(node)},
    last_transfer_{boot << 32},
    rate_{node_->options.snapshot_bytes_per_second},
    uids_{rng::mix(node_->options.id.value()) ^ rng::mix(boot)} {}

snapshotter_actor::behavior_type snapshotter::make_behavior() {
  return {
    [this](const snapshot_make& x) { on_make(x); },
    [this](const snapshot_send& x) { on_send(x); },
    [this](const snapshot_read& x) { on_read(x); },
    [this](const snapshot_forget& x) { on_forget(x); },
    [this](const snapshot_bulk& x) {
      std::visit([&](const auto& body) { on_body(x.from, x.message, body); }, x.message.body);
    },
    [this](const snapshot_peer_ready& x) { on_peer_ready(x.peer); },
    [this](const snapshot_peer_down& x) { on_peer_down(x.peer, x.reason); },
    [this](snapshot_go_on) {
      is_waiting_ = false;
      read_waiting();
      begin_waiting();
      advance_all({});
    },
    [this](snapshot_close_unread) {
      is_reading_ = readings_.close_unread();
      if (is_reading_)
        delayed_send(this, unread_after, snapshot_close_unread{});
    },
  };
}

void snapshotter::on_exit() {
  sending_.clear();
  waiting_to_send_.clear();
  waiting_to_read_.clear();
  receiving_.clear();
  readings_ = {};
}

void snapshotter::on_make(const snapshot_make& x) {
  const auto make = [&]() -> result<made_snapshot> {
    try { // The application's code writes its state.
      return store_->make(x.plan, persistence::snapshot_uid{uids_.next() | 1},
                          [this](uint64_t bytes) { keep_pace(bytes); });
    } catch (...) {
      return error{errc::machine_failed, "writing the state: " + describe_thrown()};
    }
  };
  send(x.replica, group_snapshot_made{make()});
}

/// What is made loads the disk at the rate of transfers, too: at full speed it would hold up the
/// log's syncs.
void snapshotter::keep_pace(uint64_t bytes) {
  const auto& pause = node_->environment->pause;
  if (!pause)
    return;
  static_cast<void>(rate_.allowance(now_ns())); // Of the time before, only so much was saved up.
  rate_.spend(bytes);
  if (const auto wait = rate_.wait_ns(now_ns()); wait > 0)
    pause(std::chrono::nanoseconds{wait});
}

void snapshotter::on_read(const snapshot_read& x) {
  waiting_to_read_.push_back(x);
  read_waiting();
}

/// Backups load the disk and the network as transfers do, and share their limit.
void snapshotter::read_waiting() {
  while (!waiting_to_read_.empty()) {
    const auto allowed = rate_.allowance(now_ns());
    if (allowed == 0) {
      go_on_later();
      return;
    }
    const auto next = std::move(waiting_to_read_.front());
    waiting_to_read_.pop_front();
    read(next, std::max(allowed, read_bytes_min));
  }
}

void snapshotter::read(const snapshot_read& x, uint64_t bytes_max) {
  auto bytes =
    readings_.read(*store_, x.group, index_t{x.what.index}, x.known, {x.what.offset, bytes_max},
                   persistence::snapshot_uid{uids_.next() | 1});
  if (bytes)
    rate_.spend(bytes->size());
  if (!std::exchange(is_reading_, true))
    delayed_send(this, unread_after, snapshot_close_unread{});
  if (bytes)
    x.who->answer(
      {.kind = outcome_kind::committed, .index = x.what.index, .reply = *std::move(bytes)});
  else
    x.who->answer(refusal(errc::snapshot_failed, bytes.reason().what));
}

void snapshotter::on_forget(const snapshot_forget& x) {
  const persistence::snapshot_name name{x.group, x.last};
  // Who is sending it has it open (RELIABILITY N-05).
  if (auto gone = persistence::remove_snapshots(store_->directory(), {&name, 1}); !gone)
    node_->log().warning("event=snapshot_not_removed " + to_string(gone.reason()));
}

// -- outgoing -------------------------------------------------------------------

void snapshotter::on_send(const snapshot_send& x) {
  const destination where{x.group.id, x.to};
  if (const auto found = sending_.find(where); found != sending_.end()) {
    const auto& sent = found->second;
    if (!sent.content.is_owed() || now_ns() - sent.moved_ns < silence_max_ns)
      return; // The core asks again from time to time.
    end(found, ending::refused, "the peer has said nothing of it for 10 s");
  }
  if (is_busy(x.to))
    waiting_to_send_.insert_or_assign(where, x);
  else
    begin(where, x);
}

bool snapshotter::is_busy(node_id to) const {
  return std::count_if(sending_.begin(), sending_.end(),
                       [&](const auto& x) { return x.first.to == to; })
         >= static_cast<ptrdiff_t>(sending_max);
}

void snapshotter::begin(const destination& where, const snapshot_send& x) {
  auto opened = store_->open_file(x.group, x.what, persistence::snapshot_uid{uids_.next() | 1});
  if (!opened) {
    node_->log().warning("event=snapshot_not_sent group=" + std::to_string(x.group.id.value())
                         + " to=" + std::to_string(x.to.value()) + " reason=\""
                         + to_string(opened.reason()) + "\"");
    if (is_damage(opened.reason().code))
      send(x.replica, group_snapshot_damaged{x.what.at.last, opened.reason()});
    send(x.replica, group_snapshot_sent{x.to, false});
    return;
  }
  const transfer_id transfer{++last_transfer_};
  outgoing_snapshot content{x.group.id, transfer, *std::move(opened)};
  auto shown = node_->transfers.begin(x.group.id, {.peer = x.to.value(),
                                                   .index = content.name().last.index.value(),
                                                   .file_bytes = content.file_bytes()});
  const auto added =
    sending_.emplace(where, sending{std::move(content), x.replica, now_ns(), std::move(shown)});
  advance(added.first);
}

void snapshotter::begin_waiting() {
  for (auto next = waiting_to_send_.begin(); next != waiting_to_send_.end();) {
    const auto which = next++;
    if (is_busy(which->first.to))
      continue;
    const auto waited = waiting_to_send_.extract(which);
    begin(waited.key(), waited.mapped());
  }
}

int64_t snapshotter::now_ns() {
  const auto now = clock().now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(now).count();
}

void snapshotter::go_on_later() {
  if (std::exchange(is_waiting_, true))
    return;
  delayed_send(this, pause, snapshot_go_on{});
}

void snapshotter::advance(sendings::iterator which) {
  auto& content = which->second.content;
  which->second.shown->tell(content.received());
  const auto to = which->first.to;
  bool is_taken = true;
  const auto allowed = rate_.allowance(now_ns());
  auto sent = content.advance(
    [&](const transport::bulk_message& x) {
      is_taken = node_->links->send_bulk(to, x);
      return is_taken;
    },
    allowed);
  if (!sent) {
    tell(to, {which->first.group, content.transfer(),
              transport::snapshot_done{sent.reason().code, to_string(sent.reason())}});
    end_unread(which, sent.reason());
    return;
  }
  if (*sent != 0)
    which->second.moved_ns = now_ns();
  rate_.spend(*sent);
  if (is_taken && content.has_more()) // Else the peer or its connection says when to go on.
    go_on_later();
}

void snapshotter::advance_all(node_id to) {
  for (auto next = sending_.begin(); next != sending_.end();) {
    const auto which = next++; // It may be gone afterwards.
    if (to == node_id{} || which->first.to == to)
      advance(which);
  }
}

void snapshotter::end(sendings::iterator which, ending how, std::string_view why) {
  const auto& [where, what] = *which;
  const auto text =
    "group=" + std::to_string(where.group.value()) + " to=" + std::to_string(where.to.value())
    + " index=" + std::to_string(what.content.name().last.index.value()) + " bytes="
    + std::to_string(what.content.received()) + "/" + std::to_string(what.content.file_bytes());
  if (how == ending::sent)
    node_->log().info("event=snapshot_sent " + text);
  else
    node_->log().warning("event=snapshot_not_sent " + text + " reason=\"" + std::string{why}
                         + "\"");
  if (how != ending::refused)
    send(what.replica, group_snapshot_sent{where.to, how == ending::sent});
  sending_.erase(which);
  if (!waiting_to_send_.empty())
    go_on_later();
}

void snapshotter::end_unread(sendings::iterator which, const error& why) {
  if (is_damage(why.code))
    send(which->second.replica, group_snapshot_damaged{which->second.content.name().last, why});
  end(which, ending::failed, to_string(why));
}

snapshotter::sendings::iterator snapshotter::find(node_id to, const transport::bulk_message& x) {
  const auto found = sending_.find({x.group, to});
  const bool is_it = found != sending_.end() && found->second.content.transfer() == x.transfer;
  return is_it ? found : sending_.end();
}

void snapshotter::on_body(node_id from, const transport::bulk_message& x,
                          const transport::snapshot_answer& y) {
  const auto which = find(from, x);
  if (which == sending_.end())
    return;
  which->second.moved_ns = now_ns();
  if (which->second.content.on_answer(y))
    advance(which);
  else
    end(which, ending::refused,
        y.refused == errc::none ? "an answer that makes no sense" : y.reason);
}

void snapshotter::on_body(node_id from, const transport::bulk_message& x,
                          const transport::snapshot_progress& y) {
  const auto which = find(from, x);
  if (which == sending_.end())
    return;
  which->second.moved_ns = now_ns();
  if (which->second.content.on_progress(y))
    advance(which);
  else
    end(which, ending::refused, "progress that makes no sense");
}

void snapshotter::on_body(node_id from, const transport::bulk_message& x,
                          const transport::snapshot_done& y) {
  if (const auto which = find(from, x); which != sending_.end()) {
    // What came wrong there may be wrong here. Who sends doesn't check: that would cost every
    // transfer what only this one needs.
    const auto sound =
      y.failed == errc::malformed ? which->second.content.verify() : result<void>{};
    if (sound)
      end(which, y.failed == errc::none ? ending::sent : ending::refused, y.reason);
    else
      end_unread(which, sound.reason());
  } else if (const auto found = receiving_.find(x.group);
             found != receiving_.end()
             && found->second->now == incoming_snapshot::source{from, x.transfer})
    receiving_.erase(found); // Its sender can't read it.
}

// -- connections ------------------------------------------------------------------

void snapshotter::tell(node_id to, transport::bulk_message what) {
  auto& waiting = untold_[to];
  if (!waiting.empty() || !node_->links->send_bulk(to, what)) {
    if (waiting.size() < untold_max) // Else its peer reads nothing and asks all the same.
      waiting.push_back(std::move(what));
  } else {
    untold_.erase(to);
  }
}

void snapshotter::on_peer_ready(node_id peer) {
  for (auto& x : std::exchange(untold_[peer], {}))
    tell(peer, std::move(x));
  advance_all(peer);
}

void snapshotter::on_peer_down(node_id peer, const error& reason) {
  untold_.erase(peer);
  std::erase_if(waiting_to_send_, [&](const auto& x) { return x.first.to == peer; });
  for (auto& [_, incoming] : receiving_)
    if (incoming->now.from == peer) {
      incoming->now = {}; // What has come stays for a while, and the transfer may be resumed.
      incoming->shown = nullptr;
    }
  for (auto next = sending_.begin(); next != sending_.end();) {
    const auto which = next++;
    if (which->first.to == peer)
      end(which, ending::failed, to_string(reason));
  }
}

} // namespace caucus
