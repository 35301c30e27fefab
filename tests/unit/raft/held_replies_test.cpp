#include "raft/held_replies.hpp"

#include <doctest/doctest.h>

using namespace caucus;
using namespace caucus::raft;

namespace {

envelope acknowledgement(uint64_t to, uint64_t match) {
  return {node_id{to}, append_reply{.accepted = true, .match = index_t{match}}};
}

} // namespace

TEST_SUITE("raft/held_replies") {
  TEST_CASE("each waits for its own batch, and they leave in order") {
    held_replies x;
    x.hold(persist_seq{2}, acknowledgement(1, 5));
    x.hold(persist_seq{1}, acknowledgement(1, 3));
    x.hold(persist_seq{3}, acknowledgement(1, 9));
    std::vector<envelope> out;
    x.release(persist_seq{2}, out);
    REQUIRE(out.size() == 2);
    CHECK(std::get<append_reply>(out[0].body).match == index_t{5});
    CHECK(std::get<append_reply>(out[1].body).match == index_t{3});
    CHECK(x.size() == 1);
    x.clear();
    x.release(persist_seq{9}, out);
    CHECK(out.size() == 2);
  }

  TEST_CASE("an acknowledgement of more takes the place of one of less with the same batch") {
    held_replies x;
    x.hold(persist_seq{1}, acknowledgement(1, 3));
    x.hold(persist_seq{1}, acknowledgement(1, 4));
    CHECK(x.size() == 1);
    x.hold(persist_seq{1}, acknowledgement(2, 4));                          // Another receiver.
    x.hold(persist_seq{2}, acknowledgement(1, 6));                          // Another batch.
    x.hold(persist_seq{1}, {node_id{1}, append_reply{.prev = index_t{9}}}); // A refusal.
    x.hold(persist_seq{1}, {node_id{1}, vote_reply{}});
    CHECK(x.size() == 5);
    std::vector<envelope> out;
    x.release(persist_seq{1}, out);
    CHECK(std::get<append_reply>(out[0].body).match == index_t{4});
  }
}
