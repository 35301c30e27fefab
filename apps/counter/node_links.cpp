#include "node_links.hpp"

#include "host_probe.hpp"

#include <caf/io/middleman.hpp>

namespace counter {

namespace {

constexpr std::chrono::milliseconds pause_min{20};
constexpr std::chrono::milliseconds pause_max{320};

/// Passes on what one node says about leaders. Ends with the client, to which it is linked.
class leader_ear final : public caucus::leader_listener::base {
public:
  leader_ear(caf::actor_config& config, caf::actor client, size_t via)
    : caucus::leader_listener::base{config}, client_{std::move(client)}, via_{via} {}

  behavior_type make_behavior() override {
    return {[this](const caucus::leader_changed& news) {
      caf::anon_send(client_, heard_leader{via_, news});
    }};
  }
  void on_exit() override { client_ = nullptr; }

private:
  caf::actor client_;
  size_t via_;
};

} // namespace

node_links::node_links(caf::event_based_actor* self, const client_options& options,
                       std::function<void()> on_ready)
  : self_{self}, try_timeout_{options.try_timeout}, on_ready_{std::move(on_ready)} {
  for (auto& where : options.nodes)
    links_.push_back(
      {.where = where,
       .listener = self->spawn<leader_ear, caf::linked>(caf::actor{self}, links_.size()),
       .probe = self->spawn<host_probe, caf::linked + caf::detached>(where, options.try_timeout)});
}

void node_links::reconnect(clock::time_point now) {
  for (size_t via = 0; via < links_.size(); ++via)
    if (links_[via].at == stage::down && links_[via].next_try <= now)
      probe(via);
}

void node_links::probe(size_t via) {
  auto& x = links_[via];
  x.at = stage::connecting;
  self_->request(x.probe, caf::infinite, probe_host{})
    .then(
      [this, via](bool is_reachable) {
        if (is_reachable)
          connect(via);
        else
          fail(via);
      },
      [this, via](const caf::error&) { fail(via); });
}

void node_links::connect(size_t via) {
  auto& x = links_[via];
  auto manager = self_->system().middleman().actor_handle();
  self_->request(manager, try_timeout_, caf::connect_atom::value, x.where.host, x.where.port)
    .then(
      [this, via](const caf::node_id&, const caf::strong_actor_ptr& who,
                  const std::set<std::string>& interface) {
        if (!who || !self_->system().assignable<caucus::group_actor>(interface)) {
          fail(via); // Something listens there, but it is no group.
          return;
        }
        links_[via].group = caf::actor_cast<caucus::group_actor>(who);
        self_->monitor(links_[via].group);
        ask(via);
      },
      [this, via](const caf::error&) { fail(via); });
}

void node_links::ask(size_t via) {
  links_[via].at = stage::asking;
  self_->request(links_[via].group, try_timeout_, caucus::status_request{})
    .then(
      [this, via, asked = links_[via].group](const caucus::group_status& told) {
        auto& x = links_[via];
        if (x.group != asked || x.at != stage::asking)
          return;
        x.at = stage::ready;
        x.node = told.node;
        x.is_suspect = false;
        x.pause = std::chrono::milliseconds{0};
        self_->send(x.group, x.listener);
        on_heard({via, {told.group, told.term, told.leader}});
        on_ready_();
      },
      [this, via, asked = links_[via].group](const caf::error&) {
        if (links_[via].group == asked && links_[via].at == stage::asking)
          ask(via); // It is there but doesn't speak: stopped, or busy.
      });
}

void node_links::fail(size_t via) {
  auto& x = links_[via];
  x.at = stage::down;
  x.group = nullptr;
  x.pause = std::clamp(2 * x.pause, pause_min, pause_max);
  x.next_try = clock::now() + x.pause;
}

std::optional<size_t> node_links::on_down(const caf::down_msg& down) {
  for (size_t via = 0; via < links_.size(); ++via)
    if (links_[via].group && links_[via].group.address() == down.source) {
      fail(via);
      return via;
    }
  return std::nullopt;
}

bool node_links::on_heard(const heard_leader& heard) {
  trust(heard.via);
  auto& news = heard.news;
  if (news.leader == 0 || news.term < term_ || (news.term == term_ && news.leader == leader_))
    return false;
  term_ = news.term;
  leader_ = news.leader;
  return true;
}

bool node_links::is_leader(size_t via) const {
  return leader_ != 0 && links_[via].at == stage::ready && links_[via].node == leader_;
}

std::optional<size_t> node_links::pick() const {
  std::optional<size_t> any;
  for (size_t i = 0; i < links_.size(); ++i) {
    auto via = (turn_ + i) % links_.size();
    auto& x = links_[via];
    if (x.at != stage::ready)
      continue;
    if (!x.is_suspect && is_leader(via))
      return via;
    if (!any || (links_[*any].is_suspect && !x.is_suspect))
      any = via;
  }
  return any;
}

void node_links::suspect(size_t via) {
  links_[via].is_suspect = true;
  rotate();
}

} // namespace counter
