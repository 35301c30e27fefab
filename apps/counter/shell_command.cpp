#include "shell_command.hpp"

#include "answer_lines.hpp"
#include "client_system.hpp"
#include "counter_client.hpp"
#include "counter_command.hpp"
#include "group_commands.hpp"
#include "status_text.hpp"
#include "whole_number.hpp"

#include <iostream>

namespace counter {

namespace {

/// The words of a line.
std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> words;
  constexpr auto blanks = " \t\r";
  for (auto at = line.find_first_not_of(blanks); at != std::string_view::npos;
       at = line.find_first_not_of(blanks)) {
    line.remove_prefix(at);
    words.push_back(line.substr(0, line.find_first_of(blanks)));
    line.remove_prefix(words.back().size());
  }
  return words;
}

std::optional<counter_command> to_command(std::span<const std::string_view> words) {
  if (words.size() == 1 && words[0] == "get")
    return counter_command{verb::get};
  if (words.size() == 2 && words[0] == "add")
    if (auto amount = parse_whole_number<int64_t>(words[1]))
      return counter_command{verb::add, *amount};
  return std::nullopt;
}

/// `get CONSISTENCY`: past the log. `get` alone is an entry, under the session like `add`.
std::optional<caucus::freshness> to_read(std::span<const std::string_view> words) {
  return words.size() == 2 && words[0] == "get" ? to_freshness(words[1]) : std::nullopt;
}

std::string value_text(std::string_view reply) {
  auto count = decode_count(reply);
  return count ? std::to_string(*count) : "?";
}

class shell {
public:
  explicit shell(const shell_options& options)
    : options_{options}, client_{client_system().spawn<counter_client>(options.client)} {}
  ~shell() {
    lines_.wait_until_empty();
    end_client(client_);
  }

  void handle(std::string_view line) {
    auto words = split(line);
    if (words.empty())
      return;
    if (words.size() == 1 && words[0] == "status")
      status();
    else if (auto how = to_read(words))
      read(*how);
    else if (auto command = to_command(words))
      perform_numbered(*command);
    else if (!raw(words))
      lines_.set(lines_.reserve(options_.window),
                 "rejected not an operation; known are: add N, get, get CONSISTENCY, status");
  }

private:
  clock::time_point deadline() const { return clock::now() + options_.client.timeout; }

  void perform_numbered(const counter_command& command) {
    auto number = lines_.reserve(options_.window);
    auto done = [this, number](answer x) { lines_.set(number, to_line(x)); };
    caf::anon_send(client_, perform{{encode(command), deadline(), std::move(done)}});
  }

  /// Goes past the log, and in its place among the others all the same.
  void read(caucus::freshness how) {
    lines_.wait_until_empty();
    auto number = lines_.reserve(options_.window);
    caucus::query what{.how = how};
    what.payload = caucus::shared_bytes::copy_of(encode({verb::get}));
    auto done = [this, number](const caucus::outcome& x) { lines_.set(number, to_line(x)); };
    caf::anon_send(client_, ask_group{std::move(what), deadline(), std::move(done)});
    lines_.wait_until_empty();
  }

  /// For tests, which play a client of their own: `open`, `raw SESSION SEQUENCE add N`. Sent once,
  /// and what the node says comes back as it is.
  bool raw(std::span<const std::string_view> words) {
    std::variant<caucus::command, caucus::open_session> what = caucus::open_session{};
    if (words.size() >= 4 && words[0] == "raw") {
      auto session = parse_whole_number<uint64_t>(words[1]);
      auto sequence = parse_whole_number<uint64_t>(words[2]);
      auto command = to_command(words.subspan(3));
      if (!session || !sequence || !command)
        return false;
      caucus::command body;
      body.session = *session;
      body.sequence = *sequence;
      body.payload = caucus::shared_bytes::copy_of(encode(*command));
      what = std::move(body);
    } else if (words.size() != 1 || words[0] != "open") {
      return false;
    }
    auto number = lines_.reserve(options_.window);
    auto done = [this, number](const caucus::outcome& x) { lines_.set(number, to_line(x)); };
    caf::anon_send(client_, perform_raw{std::move(what), deadline(), std::move(done)});
    return true;
  }

  /// After all that was asked before, so that it tells of them.
  void status() {
    lines_.wait_until_empty();
    auto number = lines_.reserve(options_.window);
    auto done = [this, number](const std::optional<caucus::group_status>& x) {
      lines_.set(number, x ? "ok " + to_json(*x) : "rejected unreachable");
    };
    caf::anon_send(client_, ask_status{deadline(), std::move(done)});
  }

  std::string to_line(const answer& x) const {
    switch (x.kind) {
      case answer::kind::ok:
        return "ok " + value_text(x.value)
               + (options_.shows_term ? " " + std::to_string(x.term) : "");
      case answer::kind::rejected: return "rejected " + x.reason;
      case answer::kind::unknown: break;
    }
    return "unknown " + x.reason;
  }

  static std::string to_line(const caucus::outcome& x) {
    if (x.kind == caucus::outcome_kind::committed)
      return "ok " + (x.session ? std::to_string(x.session) : value_text(x.reply.view()));
    std::string kind = x.kind == caucus::outcome_kind::not_executed ? "rejected " : "unknown ";
    return kind.append(to_string(x.reason))
           + (x.expected ? " expected=" + std::to_string(x.expected) : "")
           + (x.detail.empty() ? "" : ": " + x.detail);
  }

  const shell_options& options_;
  answer_lines lines_;
  caf::actor client_;
};

} // namespace

int run_shell(const shell_options& options) {
  shell asked{options};
  std::string line;
  while (std::getline(std::cin, line))
    asked.handle(line);
  return 0;
}

} // namespace counter
