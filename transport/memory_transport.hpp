#pragma once

#include "transport/memory_network.hpp"

namespace caucus::transport {

/// One node's access to a `memory_network`.
class memory_transport final : public transport {
public:
  memory_transport(std::shared_ptr<memory_network> network, transport_limits limits)
    : network_{std::move(network)}, limits_{limits} {}
  ~memory_transport() override { stop(); }

  result<void> start(const node_identity& self, transport_listener& listener) override;
  void set_peers(const std::map<node_id, endpoint>& peers) override;
  void confirm_peer(node_id peer, directory_id directory) override;
  void adopt(const membership::founding& founding) override;
  bool send(node_id to, std::vector<routed_message> messages) override;
  bool send_bulk(node_id to, const bulk_message& message) override;
  void stop() override;
  /// Names are not addresses here: the host says so, the port is the low part of the node's id.
  [[nodiscard]] endpoint local_endpoint() const override {
    return {"memory", static_cast<uint16_t>(self_.node.value())};
  }

private:
  friend class memory_network;

  [[nodiscard]] bool is_confirmed(const node_identity& peer) const {
    const auto found = confirmed_.find(peer.node);
    return found != confirmed_.end() && found->second == peer.directory;
  }

  std::shared_ptr<memory_network> network_;
  transport_limits limits_;
  node_identity self_;
  transport_listener* listener_ = nullptr; ///< Null before `start`, after `stop` and after a crash.
  std::set<node_id> peers_;
  std::map<node_id, directory_id> confirmed_;
};

} // namespace caucus::transport
