#include "tests/support/core_cluster.hpp"
#include "tests/support/lone_core.hpp"

using namespace caucus;
using namespace caucus::test;
using namespace caucus::raft;

namespace {

/// A follower of node 2 in term 1.
lone_core follower(core_options options = {}) {
  lone_core x{{.options = options}};
  x.receive(2, heartbeat{.term = term_t{1}});
  x.sync();
  return x;
}

errc only_refusal(const ready& out) {
  REQUIRE(out.refused.size() == 1);
  return out.refused[0].reason;
}

} // namespace

TEST_SUITE("raft/core: proposals") {
  TEST_CASE("a leader tells each proposal its place, in order") {
    lone_core x{{}};
    x.lead();
    x.feed(propose{request_id{7}, text_command("a")});
    x.feed(propose{request_id{8}, text_command("b")});
    auto out = x.take();
    REQUIRE(out.accepted.size() == 2);
    CHECK(out.accepted[0].request == request_id{7});
    CHECK(out.accepted[0].place == at(2, 1));
    CHECK(out.accepted[1].place == at(3, 1));
    CHECK(out.persist->entries.at(0)->body.payload.view() == "a");
  }

  TEST_CASE("without a leader a proposal is refused at once") {
    lone_core x{{}};
    CHECK(only_refusal(x.propose(1, "a")) == errc::no_leader);
    x.step(campaign{});
    CHECK(only_refusal(x.propose(2, "a")) == errc::no_leader);
  }

  TEST_CASE("P-18 a command beyond the maximum is refused wherever it is proposed") {
    core_options options;
    options.proposal_bytes_max = 10;
    auto x = follower(options);
    auto out = x.propose(1, "12345678901");
    CHECK(only_refusal(out) == errc::proposal_too_large);
    CHECK(out.messages.empty());
    lone_core y{{.options = options}};
    y.lead();
    CHECK(only_refusal(y.propose(1, "12345678901")) == errc::proposal_too_large);
    CHECK(y.propose(1, "1234567890").accepted.size() == 1);
    auto reply = sent<forward_reply>(
      y.receive(3, forward_proposal{request_id{5}, text_command("12345678901")}));
    REQUIRE(reply.size() == 1);
    CHECK(reply[0].second.refused == errc::proposal_too_large);
  }

  TEST_CASE("nobody slips in a configuration or a no-op as a proposal") {
    lone_core x{{}};
    x.lead();
    for (auto kind : {entry_kind::no_op, entry_kind::configuration}) {
      auto out = x.step(propose{request_id{1}, {.kind = kind}});
      CHECK(only_refusal(out) == errc::invalid_proposal);
      auto replies =
        sent<forward_reply>(x.receive(2, forward_proposal{request_id{1}, {.kind = kind}}));
      CHECK(replies.at(0).second.refused == errc::invalid_proposal);
    }
    CHECK(x.status().last == index_t{1});
  }

  TEST_CASE("beyond its limit of uncommitted bytes a leader drops, after commits it takes again") {
    core_options options;
    options.uncommitted_bytes_max = 1000;
    options.tail_bytes_max = 0; // Entries that left memory count as well.
    lone_core x{{.options = options}};
    x.lead();
    uint64_t taken = 0;
    while (taken < 20 && x.propose(taken + 1, std::string(104, 'x')).accepted.size() == 1) {
      ++taken;
      x.sync();
    }
    CHECK(taken == 5); // 96 bytes of the no-op, 200 each.
    CHECK(only_refusal(x.propose(9, "x")) == errc::proposal_dropped);
    auto reply =
      sent<forward_reply>(x.receive(3, forward_proposal{request_id{5}, text_command("x")}));
    CHECK(reply.at(0).second.refused == errc::proposal_dropped);
    x.receive(2, append_reply{.term = term_t{1}, .accepted = true, .match = index_t{1}});
    x.step(log_read_done{node_id{2}, index_t{2}, {}});
    CHECK(x.status().uncommitted_bytes == 1000);
    CHECK(only_refusal(x.propose(9, "x")) == errc::proposal_dropped);
    options.tail_bytes_max = 10000;
    lone_core y{{.options = options}};
    y.lead();
    for (uint64_t i = 1; i <= 6; ++i)
      y.propose(i, std::string(104, 'x'));
    y.sync();
    y.receive(2, append_reply{.term = term_t{1}, .accepted = true, .match = index_t{1}});
    y.receive(2, append_reply{.term = term_t{1}, .accepted = true, .match = index_t{2}});
    REQUIRE(y.status().commit == index_t{2});
    CHECK(y.propose(9, "x").accepted.size() == 1);
  }

  TEST_CASE("a follower forwards to its leader and passes on the answer") {
    auto x = follower();
    auto out = x.propose(1, "a");
    auto forwarded = sent<forward_proposal>(out);
    REQUIRE(forwarded.size() == 1);
    CHECK(forwarded[0].first == 2);
    CHECK(forwarded[0].second.body.payload.view() == "a");
    CHECK(x.status().forwarded == 1);
    x.propose(2, "b");

    out = x.receive(2, forward_reply{.request = request_id{1}, .accepted = at(4, 1)});
    REQUIRE(out.accepted.size() == 1);
    CHECK(out.accepted[0].request == request_id{1});
    CHECK(out.accepted[0].place == at(4, 1));
    out = x.receive(
      2,
      forward_reply{.request = request_id{2}, .refused = errc::not_leader, .leader = node_id{3}});
    CHECK(only_refusal(out) == errc::not_leader);
    CHECK(out.refused[0].leader == node_id{3});
    CHECK(x.status().forwarded == 0);
    // Answered already: a duplicate changes nothing.
    CHECK(
      x.receive(2, forward_reply{.request = request_id{1}, .accepted = at(4, 1)}).accepted.empty());
    CHECK(x.status().noise.stale_reply == 1);
  }

  TEST_CASE("with forwarding off a follower names the leader") {
    core_options options;
    options.forward_proposals = false;
    auto x = follower(options);
    auto out = x.propose(1, "a");
    CHECK(only_refusal(out) == errc::not_leader);
    CHECK(out.refused[0].leader == node_id{2});
  }

  TEST_CASE("S-38 a forwarded proposal isn't forwarded again") {
    auto x = follower();
    auto out = x.receive(3, forward_proposal{request_id{1}, text_command("a")});
    auto reply = sent<forward_reply>(out);
    REQUIRE(out.messages.size() == 1);
    REQUIRE(reply.size() == 1);
    CHECK(reply[0].first == 3);
    CHECK(reply[0].second.refused == errc::not_leader);
    CHECK(reply[0].second.leader == node_id{2});
  }

  TEST_CASE("S-35 when leader or link is lost before the answer, the outcome is unknown") {
    auto x = follower();
    x.propose(1, "a");
    x.propose(2, "b");
    ready out;
    SUBCASE("a new term") { out = x.receive(3, heartbeat{.term = term_t{2}}); }
    SUBCASE("a broken link") { out = x.step(peer_unreachable{node_id{2}}); }
    SUBCASE("an election of its own") { out = x.step(campaign{}); }
    SUBCASE("a lossy link that never answers") {
      for (int i = 0; i < 19; ++i) {
        x.receive(2, heartbeat{.term = term_t{1}});
        CHECK(x.tick().refused.empty());
      }
      x.receive(2, heartbeat{.term = term_t{1}});
      out = x.tick();
      CHECK(x.status().leader == node_id{2});
    }
    REQUIRE(out.refused.size() == 2);
    CHECK(out.refused[0].request == request_id{1});
    CHECK(out.refused[0].reason == errc::leadership_lost);
    CHECK(out.refused[1].request == request_id{2});
    // What comes later is too late: each request has one answer.
    out = x.receive(2, forward_reply{.request = request_id{1}, .accepted = at(4, 1)});
    CHECK(out.accepted.empty());
  }

  TEST_CASE(
    "S-35 while the link to the leader is broken nothing is forwarded, so nothing is unknown") {
    auto x = follower();
    x.step(peer_unreachable{node_id{2}});
    auto out = x.propose(1, "a");
    REQUIRE(out.refused.size() == 1);
    CHECK(out.refused[0].reason == errc::no_leader);
    CHECK(out.messages.empty());
    x.receive(2, heartbeat{.term = term_t{1}});
    CHECK(sent<forward_proposal>(x.propose(2, "b")).size() == 1);
  }

  TEST_CASE("another link's failure concerns no forwarded proposal") {
    auto x = follower();
    x.propose(1, "a");
    CHECK(x.step(peer_unreachable{node_id{3}}).refused.empty());
    CHECK(x.status().forwarded == 1);
  }

  TEST_CASE("what is forwarded and unanswered is bounded in number and bytes") {
    core_options options;
    options.forwarded_max = 2;
    auto x = follower(options);
    CHECK(x.propose(1, "a").refused.empty());
    CHECK(x.propose(2, "b").refused.empty());
    CHECK(only_refusal(x.propose(3, "c")) == errc::proposal_dropped);
    x.receive(2, forward_reply{.request = request_id{1}, .accepted = at(4, 1)});
    CHECK(x.propose(4, "d").refused.empty());

    options.forwarded_max = 100;
    options.forwarded_bytes_max = 1000;
    auto y = follower(options);
    CHECK(y.propose(1, std::string(800, 'x')).refused.empty());
    CHECK(only_refusal(y.propose(2, std::string(800, 'x'))) == errc::proposal_dropped);
  }

  TEST_CASE("one origin's forwarded proposals keep their order, and learn of the commit at once") {
    core_cluster x;
    x.elect(1);
    for (int i = 0; i < 20; ++i)
      x.propose(2);
    x.settle();
    // No tick, so no heartbeat, has passed since.
    const auto& applied = x.applied(2);
    REQUIRE(applied.size() == 21);
    for (size_t i = 1; i < applied.size(); ++i)
      CHECK(applied[i]->body.payload.view() == "request-" + std::to_string(i));
    for (uint64_t request = 1; request <= 20; ++request) {
      REQUIRE(x.answer_to(request).has_value());
      CHECK(x.answer_to(request)->refused == errc::none);
      CHECK(x.answer_to(request)->place.index == index_t{request + 1});
    }
  }

  TEST_CASE("a deposed leader's proposal meets its fate where it was placed") {
    core_cluster x;
    x.elect(1);
    x.isolate(1);
    const auto lost = x.propose(1);
    REQUIRE(x.answer_to(lost)->place == at(2, 1));
    x.elect(2);
    const auto kept = x.propose(2);
    x.settle();
    x.heal();
    x.tick(2);
    x.settle();
    x.tick(2);
    x.settle();
    REQUIRE(x.applied(1).size() == 3);
    CHECK(x.applied(1).at(1)->id == at(2, x.status(2).term.value())); // Another term: not executed.
    CHECK_FALSE(x.is_committed(lost));
    CHECK(x.is_committed(kept));
    x.check_at_end();
  }
}
