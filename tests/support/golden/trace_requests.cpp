#include "tests/support/golden/trace_session.hpp"

namespace caucus::golden {

using namespace raft;

namespace {

/// `v3`: make 3 a voter; l: a learner, s: staging, r: remove, u: another address.
membership::member_change parse_change(const std::string& word) {
  using kind = enum membership::member_change::kind;
  static const std::map<char, kind> kinds{{'v', kind::make_voter},
                                          {'l', kind::make_learner},
                                          {'s', kind::make_staging},
                                          {'r', kind::remove},
                                          {'u', kind::update}};
  const auto found = kinds.find(word.front());
  if (found == kinds.end() || word.find_first_not_of("0123456789", 1) != std::string::npos
      || word.size() < 2)
    throw script_error{"what is the change '" + word + "'?"};
  membership::member_change out{found->second, node_id{std::stoull(word.substr(1))}};
  if (out.kind != kind::remove)
    out.address = {(out.kind == kind::update ? "moved" : "node") + word.substr(1), 1};
  return out;
}

} // namespace

void trace_session::propose(trace_command& x) {
  const auto id = x.number("node");
  running(id);
  while (auto text = x.next_word())
    step(id, raft::propose{request_id{++last_request_}, {.payload = shared_bytes::copy_of(*text)}});
  x.finish();
}

void trace_session::read(trace_command& x) {
  const auto id = x.number("node");
  const auto how = x.next_word().value_or("linearizable");
  x.finish();
  running(id);
  const std::map<std::string, consistency> known{{"linearizable", consistency::linearizable},
                                                 {"lease", consistency::lease},
                                                 {"stale", consistency::stale}};
  if (!known.contains(how))
    throw script_error{"what is a '" + how + "' read?"};
  step(id, raft::read{request_id{++last_request_}, known.at(how)});
}

/// To the best voter, if none is named.
void trace_session::transfer(trace_command& x) {
  const auto id = x.number("node");
  const auto to = x.numbers();
  x.finish();
  running(id);
  step(id, raft::transfer{request_id{++last_request_}, node_id{to.empty() ? 0 : to.front()}});
}

void trace_session::step_down(trace_command& x) {
  const auto id = x.number("node");
  x.finish();
  running(id);
  step(id, raft::step_down{request_id{++last_request_}});
}

void trace_session::report_unreachable(trace_command& x) {
  const auto id = x.number("node");
  const auto peer = x.number("peer");
  x.finish();
  running(id);
  step(id, peer_unreachable{node_id{peer}});
}

/// `change NODE v3 r1 [behind] [mode=simple|joint] [expected=ID]`.
void trace_session::change(trace_command& x) {
  const auto id = x.number("node");
  running(id);
  membership::change_request what;
  what.even_if_behind = x.flag("behind");
  if (const auto id_before = x.number_of("expected"))
    what.expected_id = index_t{*id_before};
  const auto mode = x.text("mode").value_or("automatic");
  const std::map<std::string, membership::change_mode> modes{
    {"automatic", membership::change_mode::automatic},
    {"simple", membership::change_mode::simple},
    {"joint", membership::change_mode::joint}};
  if (!modes.contains(mode))
    throw script_error{"what mode is '" + mode + "'?"};
  what.mode = modes.at(mode);
  while (auto word = x.next_word())
    what.changes.push_back(parse_change(*word));
  x.finish();
  step(id, propose_change{request_id{++last_request_}, std::move(what)});
}

} // namespace caucus::golden
