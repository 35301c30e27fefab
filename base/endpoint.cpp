#include "base/endpoint.hpp"

#include <charconv>

namespace caucus {

namespace {

error bad_endpoint(std::string_view text, const char* why) {
  return {errc::invalid_argument,
          "'" + std::string{text} + "' is not an address: " + why + "; expected HOST:PORT"};
}

} // namespace

result<endpoint> parse_endpoint(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return bad_endpoint(text, "it has no port");
  auto host = text.substr(0, colon);
  auto port_text = text.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return bad_endpoint(text, "an IPv6 host needs brackets");
  if (host.size() > 253)
    return bad_endpoint(text, "the host is longer than 253 characters");
  for (char c : host)
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) > '~')
      return bad_endpoint(text, "the host has a character that no address has");
  uint16_t port = 0;
  auto [end, status] = std::from_chars(port_text.begin(), port_text.end(), port);
  if (status != std::errc{} || end != port_text.end())
    return bad_endpoint(text, "the port is not a number from 0 to 65535");
  return endpoint{std::string{host}, port};
}

std::string to_string(const endpoint& x) {
  auto host = x.host.find(':') == std::string::npos ? x.host : "[" + x.host + "]";
  return host + ":" + std::to_string(x.port);
}

bool is_unspecified(const endpoint& x) noexcept {
  return x.host.empty() || x.host == "0.0.0.0" || x.host == "::" || x.host == "*";
}

} // namespace caucus
