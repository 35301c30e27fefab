#include "apps/bench/load_client.hpp"

#include "apps/bench/bench_machine.hpp"

namespace caucus::bench {

namespace {

using retry_atom = caf::atom_constant<caf::atom("retry")>;

shared_bytes random_bytes(rng& random, size_t size) {
  auto storage = std::make_shared_for_overwrite<std::byte[]>(size + sizeof(uint64_t));
  for (size_t i = 0; i < size; i += sizeof(uint64_t)) {
    auto word = random.next();
    std::memcpy(storage.get() + i, &word, sizeof(word));
  }
  auto* first = storage.get();
  return shared_bytes::window(std::move(storage), {first, size});
}

} // namespace

load_client::load_client(caf::actor_config& cfg, std::shared_ptr<load_run> run, group_actor group,
                         uint64_t seed)
  : caf::event_based_actor{cfg}, run_{std::move(run)}, group_{std::move(group)}, random_{seed} {}

caf::behavior load_client::make_behavior() {
  due_ = std::chrono::steady_clock::now();
  if (run_->pace().count() > 0) // Not all at once.
    due_ += std::chrono::nanoseconds{random_.below(static_cast<uint64_t>(run_->pace().count()))};
  ask_next();
  return {[this](retry_atom) {
    asked_ = std::chrono::steady_clock::now();
    ask();
  }};
}

void load_client::ask_next() {
  const auto now = std::chrono::steady_clock::now();
  if (now < due_) {
    delayed_send(this, due_ - now, retry_atom::value);
    return;
  }
  asked_ = run_->pace().count() > 0 ? due_ : now;
  ask();
}

void load_client::ask() {
  if (run_->is_stopping()) {
    run_->leave();
    quit();
    return;
  }
  auto payload = random_bytes(random_, run_->payload_bytes());
  expected_ = fingerprint(payload.span());
  // No timeout of CAF's: the group answers every command by its own `proposal-timeout-ms`.
  request(group_, caf::infinite, command{.payload = std::move(payload)})
    .then([this](const outcome& answer) { on_outcome(answer); },
          [this](const caf::error& broken) { on_failure(to_string(broken)); });
}

void load_client::on_outcome(const outcome& answer) {
  if (answer.kind != outcome_kind::committed) {
    on_failure(std::string{to_string(answer.reason)} + " " + answer.detail);
    return;
  }
  if (!bench_machine::answers(answer.reply, expected_)) {
    on_failure("the reply belongs to other bytes than those sent");
    return;
  }
  auto now = std::chrono::steady_clock::now();
  run_->count_reply(static_cast<uint64_t>(std::chrono::nanoseconds{now - asked_}.count()));
  due_ += run_->pace();
  ask_next();
}

void load_client::on_failure(const std::string& what) {
  run_->count_error(what);
  // A refusal comes at once: asking again at once would only measure refusals.
  delayed_send(this, std::chrono::milliseconds(1), retry_atom::value);
}

} // namespace caucus::bench
