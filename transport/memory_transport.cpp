#include "transport/memory_transport.hpp"

namespace caucus::transport {

result<void> memory_transport::start(const node_identity& self, transport_listener& listener) {
  if (network_->find(self.node) != nullptr)
    return error{errc::in_use,
                 "node " + std::to_string(self.node.value()) + " is on this network already"};
  self_ = self;
  listener_ = &listener;
  network_->attach(*this, self.node);
  return {};
}

void memory_transport::set_peers(const std::map<node_id, endpoint>& peers) {
  const auto before = std::exchange(peers_, {});
  for (const auto& [id, address] : peers)
    if (id != self_.node)
      peers_.insert(id);
  if (listener_ == nullptr)
    return;
  for (auto id : before)
    if (!peers_.contains(id))
      network_->disconnect(self_.node, id, {errc::unreachable, "no peer any more"});
  network_->dial_all(self_.node);
}

void memory_transport::confirm_peer(node_id peer, directory_id directory) {
  confirmed_[peer] = directory;
  if (listener_ != nullptr)
    network_->release_held(peer, self_.node);
}

void memory_transport::adopt(const membership::founding& founding) {
  self_.founding = founding;
  if (listener_ != nullptr)
    network_->end_links_to_others(self_.node);
}

bool memory_transport::send(node_id to, std::vector<routed_message> messages) {
  if (messages.empty())
    return true;
  return listener_ != nullptr && network_->send(self_.node, to, std::move(messages));
}

bool memory_transport::send_bulk(node_id to, const bulk_message& message) {
  return listener_ != nullptr && network_->send_bulk(self_.node, to, message);
}

void memory_transport::stop() {
  if (listener_ != nullptr)
    network_->detach(self_.node, {errc::unreachable, "the peer hung up"});
}

} // namespace caucus::transport
