#pragma once

#include "base/result.hpp"

#include <string>

namespace caucus::bench {

/// A new directory for one run on a real disk; removed with all that is in it unless kept.
class run_directory {
public:
  /// Refuses a file system that lives in memory: syncing costs nothing there.
  static result<run_directory> make(const std::string& parent, bool keep);

  run_directory(run_directory&& other) noexcept;
  run_directory& operator=(run_directory&&) = delete;
  ~run_directory();

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Such as "ext4 on /dev/vda".
  [[nodiscard]] const std::string& file_system() const noexcept { return file_system_; }
  void keep() noexcept { keep_ = true; }

private:
  run_directory(std::string path, std::string file_system, bool keep);

  std::string path_;
  std::string file_system_;
  bool keep_;
};

} // namespace caucus::bench
