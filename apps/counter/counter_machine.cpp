#include "counter_machine.hpp"

#include "counter_command.hpp"

namespace counter {

namespace {

class count_view final : public caucus::snapshot_view {
public:
  explicit count_view(int64_t count) : count_{count} {}

  caucus::result<void> write(caucus::snapshot_sink& into) const override {
    const auto bytes = encode_count(count_);
    return into.write(std::as_bytes(std::span{bytes}));
  }

private:
  int64_t count_;
};

} // namespace

caucus::apply_result counter_machine::apply(const caucus::apply_context&,
                                            const caucus::shared_bytes& command) {
  auto decoded = decode_command(command.view());
  if (!decoded)
    return caucus::error{caucus::errc::rejected_by_machine, "not a command of the counter"};
  if (decoded->what == verb::add) {
    int64_t sum = 0;
    if (__builtin_add_overflow(count_, decoded->amount, &sum))
      return caucus::error{caucus::errc::rejected_by_machine,
                           "overflow: the count is " + std::to_string(count_)};
    count_ = sum;
  }
  return caucus::shared_bytes::copy_of(encode_count(count_));
}

caucus::apply_result counter_machine::query(const caucus::shared_bytes& question) const {
  auto decoded = decode_command(question.view());
  if (!decoded || decoded->what != verb::get)
    return caucus::error{caucus::errc::rejected_by_machine, "not a question to the counter"};
  return caucus::shared_bytes::copy_of(encode_count(count_));
}

uint64_t counter_machine::digest() const {
  // The finaliser of splitmix64: near counts, far digests.
  auto x = static_cast<uint64_t>(count_) + 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::unique_ptr<caucus::snapshot_view> counter_machine::take_view() const {
  return std::make_unique<count_view>(count_);
}

caucus::result<void> counter_machine::restore(caucus::snapshot_source& from) {
  std::string bytes(encode_count(0).size(), '\0');
  if (auto done = caucus::read_exactly(from, std::as_writable_bytes(std::span{bytes})); !done)
    return done;
  count_ = *decode_count(bytes);
  return {};
}

std::string counter_machine::describe() const {
  return "{\"count\":" + std::to_string(count_) + "}";
}

} // namespace counter
