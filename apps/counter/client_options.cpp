#include "client_options.hpp"

#include "whole_number.hpp"

#include <stdexcept>

namespace counter {

std::string to_string(const address& x) {
  auto host = x.host.find(':') == std::string::npos ? x.host : "[" + x.host + "]";
  return host + ":" + std::to_string(x.port);
}

std::vector<address> parse_addresses(std::string_view text) {
  std::vector<address> result;
  while (!text.empty()) {
    auto item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    auto bad = [&](const char* why) {
      return std::invalid_argument{"--nodes has '" + std::string{item} + "': " + why
                                   + "; expected HOST:PORT,HOST:PORT,…"};
    };
    auto colon = item.rfind(':');
    if (colon == std::string_view::npos)
      throw bad("it has no port");
    auto host = item.substr(0, colon);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
      host = host.substr(1, host.size() - 2);
    if (host.empty())
      throw bad("it has no host");
    auto digits = item.substr(colon + 1);
    const auto port = parse_whole_number<uint16_t>(digits).value_or(0);
    if (port == 0)
      throw bad("the port is not a number from 1 to 65535");
    result.push_back({std::string{host}, port});
  }
  if (result.empty())
    throw std::invalid_argument{"--nodes is empty; expected HOST:PORT,HOST:PORT,…"};
  return result;
}

} // namespace counter
