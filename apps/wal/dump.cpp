#include "apps/wal/commands.hpp"
#include "apps/wal/opened_log.hpp"
#include "apps/wal/record_json.hpp"
#include "persistence/log_survey.hpp"
#include "persistence/node_records.hpp"

#include <iostream>
#include <map>

namespace caucus::wal_tool {

using namespace persistence;

namespace {

/// Shows everything that a survey meets, or what is of one group.
class printer final : public log_visitor {
public:
  explicit printer(const settings& x) : settings_{x} {}

  void on_segment(const surveyed_segment& x) override {
    if (!settings_.group)
      show(to_json(x), segment_name(x.sequence) + ": " + std::to_string(x.bytes) + " bytes"
                         + (x.header ? ", epoch " + std::to_string(x.header->epoch.value())
                                         + ", from batch " + std::to_string(x.header->first_batch)
                                     : std::string{}));
  }
  void on_batch(log_position at, const batch_header& x) override {
    if (!settings_.group)
      show(to_json(at, x), "  " + std::to_string(at.offset) + ": batch " + std::to_string(x.number)
                             + ", epoch " + std::to_string(x.epoch.value()) + ", "
                             + std::to_string(x.bytes) + " bytes, durable up to "
                             + std::to_string(x.durable_upto));
  }
  /// What a group is may be said only after its first record, if older segments were collected.
  void know(const group_descriptor& group) { groups_[group.group] = group; }

  void on_record(const surveyed_record& x) override {
    if (x.header.kind == record_kind::group_created && x.is_sound)
      if (auto group = decode_group_descriptor(x.header.group, x.header.uid, x.body))
        groups_[x.header.group] = *std::move(group);
    const auto known = groups_.find(x.header.group);
    if (settings_.group && (known == groups_.end() || !is_named(known->second, *settings_.group)))
      return;
    is_found_ = true;
    const auto described = to_json(x, settings_.shows_payloads);
    show(described, to_text(x, described));
  }
  void on_problem(const log_problem& x) override {
    is_damaged_ |= x.is_damage;
    std::cerr << "caucus-wal: " << x.file << " at offset " << x.offset << ": " << x.part << ": "
              << x.what << '\n';
  }

  [[nodiscard]] bool is_damaged() const { return is_damaged_; }
  [[nodiscard]] bool is_found() const { return is_found_; }

private:
  void show(const json& described, const std::string& text) {
    std::cout << (settings_.as_json ? to_line(described) : text + '\n');
  }

  std::string to_text(const surveyed_record& x, const json& described) const {
    const auto known = groups_.find(x.header.group);
    auto text = "    " + std::to_string(x.at.offset) + ": " + std::string{to_string(x.header.kind)};
    if (x.header.group)
      text +=
        " of " + (known == groups_.end() ? to_hex(x.header.group.value()) : known->second.name);
    for (const auto& [key, value] : described.items())
      if (key == "entries")
        for (const auto& entry : value)
          text += "\n      " + to_text(entry);
      else if (std::string_view{"segment offset batch record group replica name"}.find(key)
               == std::string_view::npos)
        text += ", " + key + " " + value.dump(-1, ' ', false, json::error_handler_t::replace);
    return text;
  }
  static std::string to_text(const json& entry) {
    std::string text;
    for (const auto& [key, value] : entry.items())
      text += (text.empty() ? "" : ", ") + key + " "
              + (value.is_string() ? value.get<std::string>() : value.dump());
    return text;
  }

  const settings& settings_;
  std::map<group_id, group_descriptor> groups_;
  bool is_damaged_ = false;
  bool is_found_ = false;
};

} // namespace

int run_dump(const settings& x) {
  auto dir = open_to_read(x.directory);
  if (!dir)
    return 2;
  printer shown{x};
  if (const auto found = recover(*dir, std::make_shared<log_index>()))
    for (const auto& group : found->recovery.groups)
      shown.know(group.descriptor);
  if (auto done = log_survey{*dir, shown}.run(); !done) {
    std::cerr << "caucus-wal: " << done.reason().what << '\n';
    return 2;
  }
  if (x.group && !shown.is_found()) {
    std::cerr << "caucus-wal: no record is of group '" << *x.group
              << "'; inspect lists the groups\n";
    return 2;
  }
  return finish_output(shown.is_damaged() ? 1 : 0);
}

} // namespace caucus::wal_tool
