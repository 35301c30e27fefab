#pragma once

#include "transport/transport.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace caucus::transport {

/// Keeps what a transport tells it; tests wait for a condition on that.
class recording_listener : public transport_listener {
public:
  struct record {
    std::map<node_id, node_identity> up;
    std::map<node_id, int> ups;
    std::map<node_id, int> hellos;
    std::vector<std::pair<node_id, error>> downs;
    std::map<node_id, std::vector<routed_message>> messages;
    size_t message_count = 0;
    std::map<node_id, int> frame_errors;
    std::map<node_id, std::vector<bulk_message>> bulk;
    std::map<node_id, size_t> bulk_readies;
    std::vector<std::pair<node_id, error>> bulk_downs;

    [[nodiscard]] bool has_reason(node_id peer, std::string_view part) const {
      for (const auto& [id, reason] : downs)
        if (id == peer && reason.what.find(part) != std::string::npos)
          return true;
      return false;
    }
    [[nodiscard]] std::string reasons() const {
      std::string all;
      for (const auto& [id, reason] : downs)
        all += std::to_string(id.value()) + ": " + to_string(reason) + "\n";
      return all;
    }
  };

  /// Called by `on_peer_up`; most tests confirm the peer at once.
  std::function<void(const node_identity&)> when_up;
  std::function<result<void>(const node_identity&)> judge;
  bool keeps_messages = true;

  result<void> on_hello(const node_identity& peer) override {
    std::lock_guard guard{mutex_};
    ++record_.hellos[peer.node];
    return judge ? judge(peer) : result<void>{};
  }

  void on_peer_up(const node_identity& peer) override {
    {
      std::lock_guard guard{mutex_};
      record_.up[peer.node] = peer;
      ++record_.ups[peer.node];
    }
    if (when_up)
      when_up(peer);
    changed_.notify_all();
  }

  void on_peer_down(node_id peer, const error& reason) override {
    std::lock_guard guard{mutex_};
    record_.up.erase(peer);
    record_.downs.emplace_back(peer, reason);
    changed_.notify_all();
  }

  void on_messages(node_id from, std::vector<routed_message> messages) override {
    std::lock_guard guard{mutex_};
    record_.message_count += messages.size();
    if (keeps_messages)
      for (auto& x : messages)
        record_.messages[from].push_back(std::move(x));
    changed_.notify_all();
  }

  void on_frame_error(node_id peer) override {
    std::lock_guard guard{mutex_};
    ++record_.frame_errors[peer];
    changed_.notify_all();
  }

  void on_bulk(node_id from, bulk_message message) override {
    std::lock_guard guard{mutex_};
    record_.bulk[from].push_back(std::move(message));
    changed_.notify_all();
  }

  void on_bulk_ready(node_id peer) override {
    std::lock_guard guard{mutex_};
    ++record_.bulk_readies[peer];
    changed_.notify_all();
  }

  void on_bulk_down(node_id peer, const error& reason) override {
    std::lock_guard guard{mutex_};
    record_.bulk_downs.emplace_back(peer, reason);
    changed_.notify_all();
  }

  /// Waits until `holds(record)` is true; false after the deadline.
  template <class Predicate>
  bool wait_until(Predicate holds, std::chrono::milliseconds deadline = std::chrono::seconds{10}) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, deadline, [&] { return holds(record_); });
  }

  record look() {
    std::lock_guard guard{mutex_};
    return record_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  record record_;
};

} // namespace caucus::transport
