#include "membership/endpoint_codec.hpp"

#include "membership/configuration.hpp"

namespace caucus::membership {

void encode(const endpoint& x, byte_writer& out) {
  out.u16(x.port);
  out.u32(static_cast<uint32_t>(x.host.size()));
  out.bytes(std::as_bytes(std::span{x.host.data(), x.host.size()}));
}

endpoint decode_endpoint(byte_reader& in) {
  endpoint x;
  x.port = in.u16();
  const auto size = in.u32();
  const auto host = in.bytes(size > host_bytes_max ? in.remaining() + 1 : size);
  x.host.assign(reinterpret_cast<const char*>(host.data()), host.size());
  return x;
}

} // namespace caucus::membership
