#include "apps/wal/opened_log.hpp"

#include <array>
#include <cstdio>
#include <iostream>

namespace caucus::wal_tool {

using namespace persistence;

std::unique_ptr<directory> open_to_read(const std::string& path) {
  auto opened = open_posix_directory_to_read(path);
  if (!opened) {
    std::cerr << "caucus-wal: " << opened.reason().what << '\n';
    return nullptr;
  }
  auto names = (*opened)->list();
  if (!names) {
    std::cerr << "caucus-wal: " << names.reason().what << '\n';
    return nullptr;
  }
  for (const auto& name : *names)
    if (parse_segment_name(name))
      return *std::move(opened);
  std::cerr << "caucus-wal: there is no log in " << path
            << "; name the directory that the node was given as its data directory\n";
  return nullptr;
}

result<recovered_log> recover(directory& dir, const std::shared_ptr<log_index>& index) {
  auto names = dir.list();
  if (!names)
    return std::move(names).reason();
  // The first segment that says whose it is: all others are held against it.
  wal_identity self;
  for (const auto& name : *names) {
    std::array<std::byte, segment_header_used> bytes{};
    auto content = parse_segment_name(name) ? dir.open(name) : error{};
    if (!content || !(*content)->read_at(0, bytes))
      continue;
    if (auto header = decode_segment_header(bytes)) {
      self = header->identity;
      break;
    }
  }
  auto catalog = segment_catalog::read(dir, self);
  if (!catalog)
    return std::move(catalog).reason();
  return recover_log(dir, {}, *catalog, index);
}

bool is_named(const group_descriptor& group, const std::string& name_or_number) {
  return group.name == name_or_number || std::to_string(group.group.value()) == name_or_number
         || to_hex(group.group.value()) == name_or_number;
}

std::string to_size(uint64_t bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  auto number = static_cast<double>(bytes);
  for (; number >= 1024 && unit + 1 < units.size(); ++unit)
    number /= 1024;
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), unit == 0 ? "%.0f %s" : "%.1f %s", number, units[unit]);
  return text.data();
}

std::string to_hex(uint64_t id) {
  std::array<char, 17> text{};
  std::snprintf(text.data(), text.size(), "%016llx", static_cast<unsigned long long>(id));
  return text.data();
}

int finish_output(int status) {
  std::cout.flush();
  if (std::cout)
    return status;
  std::cerr << "caucus-wal: standard output can't be written; what was shown is not all\n";
  return 2;
}

} // namespace caucus::wal_tool
