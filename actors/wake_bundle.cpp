#include "actors/wake_bundle.hpp"

#include <caf/actor_system.hpp>
#include <caf/ref_counted.hpp>
#include <caf/scheduler/abstract_coordinator.hpp>

namespace caucus {

namespace {

constexpr size_t jobs_max = 64;
constexpr auto wait_max = std::chrono::microseconds(100);

/// Runs on a thread of the scheduler and queues there what it carries. It doesn't run them itself:
/// one of them may block, and the others must not wait for it while threads are idle.
class carrier final : public caf::resumable, public caf::ref_counted {
public:
  explicit carrier(std::vector<caf::resumable*> jobs) : jobs_{std::move(jobs)} {}
  ~carrier() override {
    for (auto* job : jobs_) // Never run: the system is going down.
      caf::intrusive_ptr_release(job);
  }

  subtype_t subtype() const override { return function_object; }
  resume_result resume(caf::execution_unit* host, size_t) override {
    for (auto* job : jobs_)
      host->exec_later(job);
    jobs_.clear();
    return done;
  }
  void intrusive_ptr_add_ref_impl() override { ref(); }
  void intrusive_ptr_release_impl() override { deref(); }

private:
  std::vector<caf::resumable*> jobs_;
};

} // namespace

void wake_bundle::exec_later(caf::resumable* job) {
  if (jobs_.empty())
    since_ = clock::now();
  jobs_.push_back(job);
  if (jobs_.size() >= jobs_max)
    hand_over();
}

void wake_bundle::hand_over_if_late() {
  if (!jobs_.empty() && clock::now() - since_ >= wait_max)
    hand_over();
}

void wake_bundle::hand_over() {
  auto& scheduler = system().scheduler();
  if (jobs_.size() <= 2)
    for (auto* job : jobs_)
      scheduler.enqueue(job);
  else
    scheduler.enqueue(new carrier{std::move(jobs_)});
  jobs_.clear();
}

} // namespace caucus
