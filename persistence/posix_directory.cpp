#include "persistence/posix_file.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace caucus::persistence {

namespace {

constexpr const char* lock_name = "lock";

enum class access : uint8_t { change, look };

/// A directory on the real disk with its lock. Owns both descriptors.
class posix_directory final : public directory {
public:
  /// `lock` is -1 if there is no lock file: a copy, which no node runs on.
  posix_directory(std::string path, int descriptor, int lock, access how) noexcept
    : path_{std::move(path)}, descriptor_{descriptor}, lock_{lock}, how_{how} {}
  posix_directory(const posix_directory&) = delete;
  posix_directory& operator=(const posix_directory&) = delete;
  ~posix_directory() override {
    if (lock_ >= 0)
      ::close(lock_); // Releases the lock, as the end of the process does.
    ::close(descriptor_);
  }

  std::string path() const override { return path_; }
  result<std::vector<std::string>> list() override;
  result<std::unique_ptr<file>> open(std::string_view name) override {
    return open_file(name, how_ == access::look ? O_RDONLY : O_RDWR, "cannot open");
  }
  result<std::unique_ptr<file>> create(std::string_view name) override {
    if (how_ == access::look)
      return refusal_to_change();
    return open_file(name, O_RDWR | O_CREAT | O_TRUNC, "cannot create");
  }
  result<void> rename(std::string_view from, std::string_view to) override;
  result<void> remove(std::string_view name) override;
  result<void> sync() override {
    if (::fsync(descriptor_) != 0)
      return posix_error("cannot sync directory", path_, errno);
    return {};
  }

private:
  result<std::unique_ptr<file>> open_file(std::string_view name, int flags,
                                          std::string_view action);
  [[nodiscard]] error refusal_to_change() const {
    return {errc::invalid_argument, "directory " + path_ + " was opened to look at it only"};
  }

  std::string path_;
  int descriptor_;
  int lock_;
  access how_;
};

result<std::vector<std::string>> posix_directory::list() {
  // A descriptor of its own: closedir closes it.
  const int copy = ::openat(descriptor_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0)
    return posix_error("cannot list", path_, errno);
  DIR* stream = ::fdopendir(copy);
  if (stream == nullptr) {
    const int number = errno;
    ::close(copy);
    return posix_error("cannot list", path_, number);
  }
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* found = ::readdir(stream)) {
    const std::string_view name{found->d_name};
    if (name != "." && name != ".." && name != lock_name)
      names.emplace_back(name);
    errno = 0;
  }
  const int number = errno;
  ::closedir(stream);
  if (number != 0)
    return posix_error("cannot list", path_, number);
  std::sort(names.begin(), names.end());
  return names;
}

result<std::unique_ptr<file>> posix_directory::open_file(std::string_view name, int flags,
                                                         std::string_view action) {
  auto full = path_ + "/" + std::string{name};
  int opened = -1;
  do
    opened = ::openat(descriptor_, std::string{name}.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600);
  while (opened < 0 && errno == EINTR);
  if (opened < 0)
    return posix_error(action, full, errno);
  return std::unique_ptr<file>{std::make_unique<posix_file>(opened, std::move(full))};
}

result<void> posix_directory::rename(std::string_view from, std::string_view to) {
  if (how_ == access::look)
    return refusal_to_change();
  if (::renameat(descriptor_, std::string{from}.c_str(), descriptor_, std::string{to}.c_str()) != 0)
    return posix_error("cannot rename " + std::string{from} + " to " + std::string{to} + " in",
                       path_, errno);
  return {};
}

result<void> posix_directory::remove(std::string_view name) {
  if (how_ == access::look)
    return refusal_to_change();
  if (::unlinkat(descriptor_, std::string{name}.c_str(), 0) != 0)
    return posix_error("cannot remove", path_ + "/" + std::string{name}, errno);
  return {};
}

/// Who holds a flock on the file, by the kernel's own list; 0 where that can't be told.
long holder_of(int descriptor) {
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0)
    return 0;
  std::ifstream locks{"/proc/locks"}; // "1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF"
  for (std::string line; std::getline(locks, line);) {
    std::istringstream words{line};
    std::string number, kind, mode, access, pid, place;
    words >> number >> kind >> mode >> access >> pid >> place;
    const auto colon = place.rfind(':');
    if (kind == "FLOCK" && colon != std::string::npos
        && place.substr(colon + 1) == std::to_string(status.st_ino))
      return std::strtol(pid.c_str(), nullptr, 10);
  }
  return 0;
}

/// Makes the directory if it is absent; its parent must exist. True if it was made.
result<bool> make_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0)
    return true;
  if (errno == ENOENT)
    return error{errc::not_found, "cannot make directory " + path
                                    + ": the directory that it is to be in does not exist; make "
                                      "that first, or name another path"};
  if (errno != EEXIST)
    return posix_error("cannot make directory", path, errno);
  return false;
}

/// The name of a new directory is durable only once its parent is synced. Also done for one that
/// exists: whoever made it may have been killed before this. Only then a parent that we may not
/// read is forgiven.
result<void> sync_parent(const std::string& path, bool is_new) {
  const auto parent = path + "/..";
  const int opened = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0 && errno == EACCES && !is_new)
    return {};
  if (opened < 0)
    return posix_error("cannot open directory", parent, errno);
  return sync_and_close_directory(opened, parent);
}

/// Opens and locks the lock file; the descriptor holds the lock. -1 if there is none to hold.
result<int> take_lock(int directory, const std::string& path, access how) {
  const int flags = how == access::look ? O_RDONLY : O_RDWR | O_CREAT;
  const int lock = ::openat(directory, lock_name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock < 0 && errno == ENOENT && how == access::look)
    return -1;
  if (lock < 0)
    return posix_error("cannot open", path + "/" + lock_name, errno);
  int outcome = -1;
  do
    outcome = ::flock(lock, (how == access::look ? LOCK_SH : LOCK_EX) | LOCK_NB);
  while (outcome != 0 && errno == EINTR);
  if (outcome == 0)
    return lock;
  const int number = errno;
  const auto holder = number == EWOULDBLOCK ? holder_of(lock) : 0;
  ::close(lock);
  if (number != EWOULDBLOCK)
    return posix_error("cannot lock", path + "/" + lock_name, number);
  return error{errc::in_use,
               "directory " + path + " is in use by another process"
                 + (holder != 0 ? " (pid " + std::to_string(holder) + ")" : "")
                 + (how == access::look ? "; stop it, or look at a copy of the directory"
                                        : "; stop it, or give this node a directory of its own")};
}

result<std::unique_ptr<directory>> open_with_lock(const std::string& path, access how) {
  const int opened = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0)
    return posix_error("cannot open directory", path, errno);
  auto lock = take_lock(opened, path, how);
  if (!lock) {
    ::close(opened);
    return std::move(lock).reason();
  }
  return std::unique_ptr<directory>{std::make_unique<posix_directory>(path, opened, *lock, how)};
}

} // namespace

result<std::unique_ptr<directory>> open_posix_directory(const std::string& path) {
  auto made = make_directory(path);
  if (!made)
    return std::move(made).reason();
  if (auto synced = sync_parent(path, *made); !synced)
    return std::move(synced).reason();
  return open_with_lock(path, access::change);
}

result<std::unique_ptr<directory>> open_posix_directory_to_read(const std::string& path) {
  return open_with_lock(path, access::look);
}

} // namespace caucus::persistence
