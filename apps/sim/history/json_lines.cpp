#include "apps/sim/history/json_lines.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <istream>
#include <ostream>

namespace caucus::sim::history {

namespace {

constexpr std::array<std::string_view, 4> names{"get", "add", "put", "cas"};

operation parse(const std::string& line) {
  const auto json = nlohmann::json::parse(line);
  operation x;
  const auto& name = json.at("op").get_ref<const std::string&>();
  const auto kind = std::find(names.begin(), names.end(), name);
  if (kind == names.end())
    throw std::invalid_argument{"'" + name + "' is no operation; get, add, put and cas are"};
  x.client = json.at("client").get<uint32_t>();
  x.what.kind = static_cast<enum action::kind>(kind - names.begin());
  x.what.object = json.at("object").get<uint32_t>();
  x.what.argument = json.value("argument", int64_t{0});
  x.what.expected = json.value("expected", int64_t{0});
  x.called = json.at("called").get<int64_t>();
  if (json.contains("returned") && !json.at("returned").is_null()) {
    x.returned = json.at("returned").get<int64_t>();
    x.told.value = json.at("value").get<int64_t>();
    x.told.is_ok = json.value("ok", true);
    if (x.returned < x.called)
      throw std::invalid_argument{"it returned before it was called"};
  }
  return x;
}

} // namespace

void write(std::ostream& to, std::span<const operation> history) {
  for (const auto& x : history) {
    nlohmann::ordered_json json{
      {"client", x.client},          {"op", names[static_cast<size_t>(x.what.kind)]},
      {"object", x.what.object},     {"argument", x.what.argument},
      {"expected", x.what.expected}, {"called", x.called}};
    if (!x.is_open()) {
      json["returned"] = x.returned;
      json["value"] = x.told.value;
      json["ok"] = x.told.is_ok;
    }
    to << json.dump() << '\n';
  }
}

result<std::vector<operation>> read(std::istream& from) {
  std::vector<operation> out;
  std::string line;
  for (size_t number = 1; std::getline(from, line); ++number) {
    if (line.empty())
      continue;
    try {
      out.push_back(parse(line));
    } catch (const std::exception& wrong) { // The JSON library says by exceptions what it missed.
      return error{errc::invalid_option,
                   "line " + std::to_string(number) + " is no operation: " + wrong.what()};
    }
  }
  if (out.empty())
    return error{errc::invalid_option, "it has no operation"};
  return out;
}

} // namespace caucus::sim::history
