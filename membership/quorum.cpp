#include "membership/quorum.hpp"

namespace caucus::membership {

vote_result decide_votes(size_t voters, size_t granted, size_t missing) noexcept {
  if (voters == 0) // An absent half holds nothing back.
    return vote_result::won;
  auto majority = voters / 2 + 1;
  if (granted >= majority)
    return vote_result::won;
  return granted + missing >= majority ? vote_result::pending : vote_result::lost;
}

vote_result both(vote_result incoming, vote_result outgoing) noexcept {
  if (incoming == vote_result::lost || outgoing == vote_result::lost)
    return vote_result::lost;
  if (incoming == vote_result::pending || outgoing == vote_result::pending)
    return vote_result::pending;
  return vote_result::won;
}

} // namespace caucus::membership
