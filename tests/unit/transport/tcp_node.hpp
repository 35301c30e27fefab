#pragma once

#include "recording_listener.hpp"

#include <doctest/doctest.h>

#include <memory>

namespace caucus::transport {

inline transport_limits quick_limits() {
  transport_limits x;
  x.hello_timeout = std::chrono::milliseconds{1000};
  x.idle_timeout = std::chrono::milliseconds{2000};
  x.backoff_min = std::chrono::milliseconds{5};
  x.backoff_max = std::chrono::milliseconds{50};
  return x;
}

/// One transport with its listener on a port of its own, which confirms every peer at once.
struct tcp_node {
  explicit tcp_node(uint64_t id, transport_limits limits = quick_limits(), uint16_t port = 0)
    : identity{cluster_id{7}, node_id{id}, directory_id{100 + id}, boot_count{1}} {
    auto made = make_tcp_transport({"127.0.0.1", port}, limits);
    REQUIRE(made.ok());
    links = *std::move(made);
    heard.when_up = [this](const node_identity& peer) {
      links->confirm_peer(peer.node, peer.directory);
    };
  }
  ~tcp_node() { links->stop(); }

  void start() { REQUIRE(links->start(identity, heard).ok()); }
  [[nodiscard]] endpoint address() const { return links->local_endpoint(); }
  [[nodiscard]] node_id id() const { return identity.node; }

  bool wait_up(const tcp_node& other) {
    return heard.wait_until([&](const auto& x) { return x.up.contains(other.id()); });
  }
  bool wait_reason(node_id peer, std::string_view part) {
    return heard.wait_until([&](const auto& x) { return x.has_reason(peer, part); });
  }
  bool wait_messages(size_t count) {
    return heard.wait_until([&](const auto& x) { return x.message_count >= count; });
  }

  node_identity identity;
  recording_listener heard;
  std::unique_ptr<transport> links;
};

inline routed_message beat(uint64_t group, uint64_t term = 1) {
  return {group_id{group}, raft::heartbeat{term_t{term}, index_t{2}, read_context{3}}};
}

inline routed_message numbered(uint64_t n) { return {group_id{1}, raft::timeout_now{term_t{n}}}; }

inline uint64_t number_of(const routed_message& x) {
  return std::get<raft::timeout_now>(x.body).term.value();
}

template <class... Messages>
std::vector<routed_message> batch(Messages... messages) {
  return {std::move(messages)...};
}

} // namespace caucus::transport
