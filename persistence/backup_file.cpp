#include "persistence/backup_file.hpp"

#include "persistence/posix_file.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <unistd.h>

namespace caucus::persistence {

namespace {

error exists_already(const std::string& path) {
  return {errc::already_exists, path + " exists already; name another file, or remove it"};
}

/// Gives `from` the name `to`, which must be free unless it may be replaced; the number of what
/// went wrong.
int rename_file(const std::string& from, const std::string& to, bool may_replace) {
  const unsigned flags = may_replace ? 0 : RENAME_NOREPLACE;
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0)
    return 0;
  if (errno != EINVAL && errno != ENOSYS)
    return errno;
  // A file system that can't refuse by itself: somebody may come between, as seldom as that is.
  if (!may_replace && ::access(to.c_str(), F_OK) == 0)
    return EEXIST;
  return ::rename(from.c_str(), to.c_str()) == 0 ? 0 : errno;
}

result<void> sync_directory_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const auto parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int opened = ::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (opened < 0)
    return posix_error("cannot open directory", parent, errno);
  return sync_and_close_directory(opened, parent);
}

} // namespace

result<snapshot_reader> open_snapshot_file(const std::string& path) {
  const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (opened < 0)
    return posix_error("cannot open", path, errno);
  return snapshot_reader::open(std::make_unique<posix_file>(opened, path), path);
}

result<backup_file> backup_file::create(const std::string& path, bool may_replace) {
  if (!may_replace && ::access(path.c_str(), F_OK) == 0)
    return exists_already(path);
  // Two that write one file at a time have a temporary each.
  auto temporary = path + "." + std::to_string(::getpid()) + ".tmp";
  const int opened = ::open(temporary.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (opened < 0)
    return posix_error("cannot create", temporary, errno);
  return backup_file{path, temporary, may_replace, std::make_unique<posix_file>(opened, temporary)};
}

backup_file::~backup_file() {
  if (content_)
    ::unlink(temporary_.c_str()); // Best effort.
}

result<void> backup_file::publish() {
  if (const int number = rename_file(temporary_, path_, may_replace_); number == EEXIST)
    return exists_already(path_);
  else if (number != 0)
    return posix_error("cannot rename " + temporary_ + " to", path_, number);
  content_.reset();
  return sync_directory_of(path_);
}

} // namespace caucus::persistence
