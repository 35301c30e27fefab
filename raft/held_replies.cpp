#include "raft/held_replies.hpp"

#include <algorithm>

namespace caucus::raft {

bool held_replies::supersedes(const held& next, const held& x) {
  if (next.reply.to != x.reply.to || next.after != x.after)
    return false;
  if (const auto* b = std::get_if<append_reply>(&next.reply.body)) {
    const auto* a = std::get_if<append_reply>(&x.reply.body);
    if (a == nullptr || a->accepted != b->accepted)
      return false;
    return b->accepted ? b->match >= a->match : b->prev == a->prev;
  }
  if (const auto* b = std::get_if<vote_reply>(&next.reply.body)) {
    const auto* a = std::get_if<vote_reply>(&x.reply.body);
    return a != nullptr && a->granted == b->granted && a->is_pre_vote == b->is_pre_vote;
  }
  return false;
}

void held_replies::hold(persist_seq after, envelope reply) {
  held next{after, std::move(reply)};
  for (auto& x : held_)
    if (supersedes(next, x)) {
      x = std::move(next);
      return;
    }
  held_.push_back(std::move(next));
}

void held_replies::release(persist_seq durable, std::vector<envelope>& out) {
  auto stays = std::stable_partition(held_.begin(), held_.end(),
                                     [=](const held& x) { return x.after <= durable; });
  for (auto i = held_.begin(); i != stays; ++i)
    out.push_back(std::move(i->reply));
  held_.erase(held_.begin(), stays);
}

} // namespace caucus::raft
