#include "persistence/recovered_tail.hpp"

#include "base/crc32c.hpp"
#include "persistence/batch_buffer.hpp"
#include "persistence/segment_files.hpp"
#include "persistence/segment_header.hpp"
#include "tests/unit/persistence/wal_disks.hpp"

using namespace caucus;
using namespace caucus::testing;
using persistence::recovered_tail;

namespace {

/// Records of entries in one segment, as far apart as a test wants them.
class scattered_records {
public:
  recovered_tail::record_body put(uint64_t first, uint64_t last, uint64_t term, size_t gap = 0) {
    persistence::batch_buffer batch;
    batch.add_entries(group_a, replica_uid{7}, entries(first, last, term).entries);
    const auto whole = batch.seal({.number = 1}, {});
    const auto body =
      whole.subspan(persistence::batch_header_bytes + persistence::record_header_bytes);
    content_.resize(content_.size() + gap, std::byte{0xee});
    const recovered_tail::record_body place{
      {1, content_.size()}, static_cast<uint32_t>(body.size()), crc32c(body)};
    content_.insert(content_.end(), body.begin(), body.end());
    return place;
  }

  void flip(const recovered_tail::record_body& body) { content_[body.at.offset] ^= std::byte{1}; }

  result<std::vector<raft::entry_ptr>> read(const recovered_tail& tail) {
    memory_disk disk;
    disk.put(persistence::segment_name(1), content_);
    auto directory = disk.open();
    persistence::segment_files files{**directory};
    return tail.read(files);
  }

private:
  std::vector<std::byte> content_;
};

} // namespace

TEST_SUITE("persistence/recovered_tail") {

  TEST_CASE("entries come back from records near to each other and far apart, without gaps") {
    for (const size_t gap : {0, 80, 5'000}) {
      scattered_records log;
      recovered_tail tail;
      for (uint64_t i = 0; i < 300; ++i)
        tail.append(log.put(3 * i + 1, 3 * i + 3, 1, gap), index_t{3 * i + 1}, index_t{3 * i + 3});
      tail.truncate(index_t{600}); // Inside a record.
      tail.append(log.put(600, 601, 2, gap), index_t{600}, index_t{601});
      tail.drop_upto(index_t{100}); // Also.
      const auto read = log.read(tail);
      REQUIRE(read.ok());
      REQUIRE(read->size() == 501);
      for (uint64_t i = 0; i < read->size(); ++i)
        REQUIRE(is_same(*(*read)[i], *make_entry(101 + i, 101 + i < 600 ? 1 : 2)));
    }
  }

  TEST_CASE("the newest record stays however small the limit, as it has the newest wall time") {
    scattered_records log;
    recovered_tail tail;
    tail.append(log.put(1, 2, 1), index_t{1}, index_t{2});
    tail.append(log.put(3, 4, 1), index_t{3}, index_t{4});
    tail.shrink(0);
    CHECK(ids(*log.read(tail)) == "3@1 4@1");
  }

  TEST_CASE("other bytes than before are noticed, with their place (E-09)") {
    scattered_records log;
    recovered_tail tail;
    tail.append(log.put(1, 2, 1), index_t{1}, index_t{2});
    const auto second = log.put(3, 4, 1);
    tail.append(second, index_t{3}, index_t{4});
    log.flip(second);
    const auto read = log.read(tail);
    REQUIRE_FALSE(read.ok());
    CHECK(read.reason().code == errc::wal_corrupt);
    CHECK(read.reason().what.find(persistence::segment_name(1) + " at offset "
                                  + std::to_string(second.at.offset))
          != std::string::npos);
  }

  TEST_CASE("a record that the file doesn't have any more is noticed") {
    scattered_records log;
    recovered_tail tail;
    auto body = log.put(1, 2, 1);
    body.bytes += 1;
    tail.append(body, index_t{1}, index_t{2});
    CHECK(log.read(tail).reason().code == errc::wal_corrupt);
  }
}
