#pragma once

#include "client_options.hpp"

#include <caf/event_based_actor.hpp>
#include <caucus/messages.hpp>

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

namespace counter {

/// A node's word on who leads, brought by the listener of the link `via`.
struct heard_leader {
  size_t via = 0;
  caucus::leader_changed news;
};

/// A client's connections, one to each node, and what the nodes say about the leader. Part of one
/// client actor. A proxy of a dead node never heals in BASP and doesn't fail what was asked of it,
/// so each loss is noticed by its monitor and the node asked for again.
class node_links {
public:
  using clock = std::chrono::steady_clock;

  node_links(caf::event_based_actor* self, const client_options& options,
             std::function<void()> on_ready);

  /// Connects where nothing is connected and the time has come.
  void reconnect(clock::time_point now);
  /// Which node was lost, if it was one of ours.
  std::optional<size_t> on_down(const caf::down_msg& down);
  /// Whether another leader is in office than was known.
  bool on_heard(const heard_leader& heard);

  /// The leader if it is known and connected, else any node that is; nothing if there is none.
  [[nodiscard]] std::optional<size_t> pick() const;
  [[nodiscard]] const caucus::group_actor& group(size_t via) const { return links_[via].group; }
  [[nodiscard]] bool is_leader(size_t via) const;

  /// The node didn't answer in time: others are preferred until it is heard of again.
  void suspect(size_t via);
  void trust(size_t via) { links_[via].is_suspect = false; }
  /// The node refuses for now; the next pick is another one unless this is the leader.
  void rotate() { ++turn_; }

private:
  enum class stage : uint8_t { down, connecting, asking, ready };

  struct link {
    address where;
    caucus::leader_listener listener;
    caf::actor probe;
    caucus::group_actor group;
    uint64_t node = 0; ///< Its id, told by itself.
    stage at = stage::down;
    bool is_suspect = false;
    clock::time_point next_try{};
    std::chrono::milliseconds pause{0};
  };

  void probe(size_t via);
  void connect(size_t via);
  void ask(size_t via);
  void fail(size_t via);

  caf::event_based_actor* self_;
  std::chrono::milliseconds try_timeout_;
  std::function<void()> on_ready_;
  std::vector<link> links_;
  uint64_t term_ = 0;
  uint64_t leader_ = 0;
  size_t turn_ = 0;
};

} // namespace counter

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(counter::heard_leader)
