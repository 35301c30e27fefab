// libFuzzer: whatever a peer sends is either decoded or refused, and what is decoded means the same
// after another round through the wire. Build with
//   clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -I. tests/fuzz/wire_fuzz.cpp
//     transport/{bulk_codec,hello,wire_format,message_encoder,message_decoder}.cpp
//     base/{assert,crc32c,errc,endpoint}.cpp
#include "../unit/transport/bulk_samples.hpp"
#include "../unit/transport/message_samples.hpp"
#include "transport/bulk_codec.hpp"
#include "transport/hello.hpp"
#include "transport/message_decoder.hpp"
#include "transport/message_encoder.hpp"
#include "transport/wire_format.hpp"

#include <cstdlib>

using namespace caucus;
using namespace caucus::transport;

namespace {

void require(bool holds) {
  if (!holds)
    std::abort();
}

void check_messages(std::span<const std::byte> body) {
  message_decoder decoder;
  const auto got = decoder.decode(body);
  const auto memory = std::make_shared<std::vector<std::byte>>(body.begin(), body.end());
  const auto in_place = message_decoder{}.decode(*memory, memory);
  require(got.ok() == in_place.ok());
  if (!got)
    return;
  require(dump(*got) == dump(*in_place));
  std::vector<routed_message> again;
  for (const auto& x : encode_messages(*got, 8 << 20)) {
    auto part = decoder.decode(x.bytes().subspan(frame_header_bytes));
    require(part.ok());
    std::move(part->begin(), part->end(), std::back_inserter(again));
  }
  require(dump(again) == dump(*got));
}

void check_bulk(std::span<const std::byte> body) {
  const auto got = decode_bulk(body);
  const auto memory = std::make_shared<std::vector<std::byte>>(body.begin(), body.end());
  const auto in_place = decode_bulk(*memory, memory);
  require(got.ok() == in_place.ok());
  if (!got)
    return;
  require(dump(*got) == dump(*in_place));
  const auto again = decode_bulk(encode(*got).bytes().subspan(frame_header_bytes));
  require(again.ok() && dump(*again) == dump(*got));
}

/// A valid body for the target's last two cases, chosen by `seed`; the first byte is the case.
std::vector<std::byte> valid_input(unsigned seed) {
  const bool is_bulk = seed % 2 == 0;
  std::vector<frame> frames;
  if (is_bulk) {
    const auto all = one_of_each_bulk();
    frames.push_back(encode(all[seed / 2 % all.size()]));
  } else {
    const auto all = one_of_each();
    const std::vector<routed_message> one{all[seed / 2 % all.size()]};
    frames = encode_messages(seed % 8 == 1 ? all : one, 1 << 20);
  }
  const auto body = frames.front().bytes().subspan(frame_header_bytes);
  std::vector<std::byte> input{static_cast<std::byte>(is_bulk ? 3 : 4)};
  input.insert(input.end(), body.begin(), body.end());
  return input;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto bytes = std::as_bytes(std::span{data, size});
  if (bytes.empty())
    return 0;
  const auto body = bytes.subspan(1);
  switch (static_cast<uint8_t>(bytes[0]) % 5) {
    case 0:
      if (auto x = decode_hello(body))
        require(decode_hello(encode(*x).bytes().subspan(frame_header_bytes)).ok()
                || x->version > protocol_version);
      break;
    case 1: (void)decode_hello_reply(body); break;
    case 2:
      if (body.size() >= frame_header_bytes)
        (void)parse_header(body.first<frame_header_bytes>(), 1 << 20);
      break;
    case 3: check_bulk(body); break;
    default: check_messages(body);
  }
  return 0;
}

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed);
extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned int seed) {
  // Without a corpus: now and then start over from a valid body.
  if (seed % 64 == 0 || size < 2) {
    const auto input = valid_input(seed / 64);
    if (input.size() <= max_size) {
      std::memcpy(data, input.data(), input.size());
      size = input.size();
    }
  }
  return LLVMFuzzerMutate(data, size, max_size);
}
