#include "apps/bench/run_directory.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <linux/magic.h>
#include <sstream>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>

namespace caucus::bench {

namespace {

namespace fs = std::filesystem;

/// The kernel's own name of the file system and what it is on (proc(5), mountinfo). The last mount
/// of a device number that matches is the visible one.
std::string name_file_system(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0)
    return "unknown file system";
  auto device = std::to_string(major(about.st_dev)) + ":" + std::to_string(minor(about.st_dev));
  std::ifstream mounts{"/proc/self/mountinfo"};
  std::string found = "unknown file system";
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words{line};
    std::string id, parent, number, word;
    words >> id >> parent >> number;
    if (number != device)
      continue;
    while (words >> word && word != "-") {
    }
    std::string type, source;
    words >> type >> source;
    found = type + " on " + source;
  }
  return found;
}

result<void> check_real_disk(const std::string& path) {
  struct statfs about {};
  if (::statfs(path.c_str(), &about) != 0)
    return error{errc::io_failed, path + ": " + std::strerror(errno)};
  if (about.f_type == TMPFS_MAGIC || about.f_type == RAMFS_MAGIC)
    return error{errc::invalid_option,
                 "--data: " + path + " is on " + name_file_system(path)
                   + ", which is memory: nothing is durable there and a sync costs nothing; name a "
                     "directory on a disk"};
  return {};
}

} // namespace

run_directory::run_directory(std::string path, std::string file_system, bool keep)
  : path_{std::move(path)}, file_system_{std::move(file_system)}, keep_{keep} {}

run_directory::run_directory(run_directory&& other) noexcept
  : path_{std::exchange(other.path_, {})},
    file_system_{std::move(other.file_system_)},
    keep_{other.keep_} {}

run_directory::~run_directory() {
  std::error_code ignored; // What can't be removed stays, visibly, in the directory the user named.
  if (!path_.empty() && !keep_)
    fs::remove_all(path_, ignored);
}

result<run_directory> run_directory::make(const std::string& parent, bool keep) {
  std::error_code failed;
  // The nearest directory that exists decides: a refusal has made nothing.
  auto existing = fs::absolute(parent, failed);
  while (!failed && !fs::exists(existing, failed) && existing.has_relative_path())
    existing = existing.parent_path();
  if (auto real = check_real_disk(existing.string()); !real)
    return real.reason();
  fs::create_directories(parent, failed);
  if (failed)
    return error{errc::io_failed, parent + ": " + failed.message()};
  auto path = fs::absolute(parent).string() + "/caucus-bench-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr)
    return error{errc::io_failed, path + ": " + std::strerror(errno)};
  auto file_system = name_file_system(path);
  return run_directory{std::move(path), std::move(file_system), keep};
}

} // namespace caucus::bench
