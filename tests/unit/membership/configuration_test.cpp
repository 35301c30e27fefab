#include "membership/configuration.hpp"

#include <doctest/doctest.h>

using namespace caucus;
using namespace caucus::membership;

TEST_SUITE("membership/configuration") {
  TEST_CASE("voters of either half vote, learners don't, all are members") {
    configuration x;
    x.voters = {node_id{1}, node_id{2}};
    x.outgoing = {node_id{2}, node_id{3}};
    x.learners = {node_id{4}};
    x.learners_next = {node_id{3}};
    CHECK(x.is_joint());
    CHECK(x.is_voter(node_id{1}));
    CHECK(x.is_voter(node_id{3}));
    CHECK_FALSE(x.is_voter(node_id{4}));
    CHECK(x.is_member(node_id{4}));
    CHECK_FALSE(x.is_member(node_id{5}));
  }

  TEST_CASE("members are named once each, ascending") {
    configuration x;
    x.voters = {node_id{5}, node_id{2}};
    x.outgoing = {node_id{2}, node_id{9}};
    x.learners = {node_id{1}};
    x.learners_next = {node_id{9}};
    CHECK(x.members() == std::vector{node_id{1}, node_id{2}, node_id{5}, node_id{9}});
    CHECK(configuration{}.members().empty());
    CHECK_FALSE(configuration{}.is_joint());
  }
}
