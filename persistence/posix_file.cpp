#include "persistence/posix_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace caucus::persistence {

namespace {

errc code_of(int number) {
  switch (number) {
    // All of these pass by themselves, or when somebody makes room.
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE: return errc::no_space;
    case ENOENT: return errc::not_found;
    default: return errc::io_failed;
  }
}

std::string_view remedy_of(int number) {
  switch (number) {
    case ENOSPC:
    case EDQUOT: return "; make room on that file system";
    case EACCES:
    case EPERM: return "; the user who runs this node must own it";
    case EROFS: return "; the file system is read-only, look at the kernel's log";
    case EIO: return "; the device failed, look at the kernel's log";
    case EMFILE:
    case ENFILE: return "; too many files are open, raise the limit (ulimit -n)";
    default: return "";
  }
}

} // namespace

error posix_error(std::string_view action, std::string_view path, int number) {
  std::string what{action};
  what.append(" ").append(path).append(": ");
  what.append(std::generic_category().message(number)).append(remedy_of(number));
  return error{code_of(number), std::move(what)};
}

result<void> sync_and_close_directory(int descriptor, std::string_view path) {
  const int number = ::fsync(descriptor) == 0 ? 0 : errno;
  ::close(descriptor);
  if (number != 0)
    return posix_error("cannot sync directory", path, number);
  return {};
}

posix_file::posix_file(int descriptor, std::string path) noexcept
  : descriptor_{descriptor}, path_{std::move(path)} {}

posix_file::~posix_file() {
  // What must be kept was synced, and that sync told; nothing is left for close to tell.
  ::close(descriptor_);
}

result<size_t> posix_file::read_at(uint64_t offset, std::span<std::byte> into) {
  size_t done = 0;
  while (done < into.size()) {
    const auto n = ::pread(descriptor_, into.data() + done, into.size() - done,
                           static_cast<off_t>(offset + done));
    if (n == 0)
      break;
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return posix_error("cannot read", path_, errno);
    done += static_cast<size_t>(n);
  }
  return done;
}

result<void> posix_file::write_at(uint64_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto n = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return posix_error("cannot write", path_, errno);
    if (n == 0)
      return posix_error("cannot write", path_, EIO); // Else this would never end.
    bytes = bytes.subspan(static_cast<size_t>(n));
    offset += static_cast<uint64_t>(n);
  }
  return {};
}

result<void> posix_file::sync() {
  // Not repeated at EINTR or anything else: after a failure the kernel may have dropped the dirty
  // pages, and a second call would succeed without them (RELIABILITY E-02).
  if (::fdatasync(descriptor_) != 0)
    return posix_error("cannot sync", path_, errno);
  return {};
}

result<void> posix_file::allocate(uint64_t bytes) {
  int number = EINTR;
  while (number == EINTR) // It returns the number and leaves errno alone.
    number = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(bytes));
  if (number != 0)
    return posix_error("cannot allocate " + std::to_string(bytes) + " bytes for", path_, number);
  return {};
}

result<uint64_t> posix_file::size() {
  struct stat status = {};
  if (::fstat(descriptor_, &status) != 0)
    return posix_error("cannot stat", path_, errno);
  return static_cast<uint64_t>(status.st_size);
}

void posix_file::begin_writing(uint64_t offset, uint64_t bytes) {
  // Nothing depends on it, and what the device fails meanwhile the next sync still tells.
  ::sync_file_range(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(bytes),
                    SYNC_FILE_RANGE_WRITE);
}

result<void> posix_file::await_writing(uint64_t offset, uint64_t bytes) {
  constexpr unsigned all =
    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  // What it tells of the device, the next fdatasync doesn't tell again.
  if (::sync_file_range(descriptor_, static_cast<off_t>(offset), static_cast<off_t>(bytes), all)
        != 0
      && errno != ENOSYS)
    return posix_error("cannot write out", path_, errno);
  return {};
}

void posix_file::shrink(uint64_t bytes) {
  static_cast<void>(::ftruncate(descriptor_, static_cast<off_t>(bytes)) == 0);
}

} // namespace caucus::persistence
