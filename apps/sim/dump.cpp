#include "apps/sim/dump.hpp"

#include "apps/sim/violation.hpp"

#include <fstream>

namespace caucus::sim {

namespace {

void write(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  std::ofstream out{path, std::ios::binary};
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
  if (!out.flush())
    throw std::filesystem::filesystem_error{"can't write a simulated disk", path,
                                            std::make_error_code(std::errc::io_error)};
}

} // namespace

void dump(const std::vector<sim_node>& nodes, const std::filesystem::path& into) {
  for (const auto& n : nodes) {
    if (!n.has_started)
      continue;
    const auto directory = into / text("node-", n.id());
    std::filesystem::create_directories(directory);
    if (const auto* storage = n.disk.production()) {
      for (const auto& name : storage->disk().names())
        write(directory / name, storage->disk().content(name));
      continue;
    }
    write(directory / "log", n.disk.bytes());
    if (const auto& file = n.disk.snapshot())
      write(directory / text("snapshot-", file->index(), "-", file->at.last.term), *file->bytes);
  }
}

} // namespace caucus::sim
