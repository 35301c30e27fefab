#include "apps/datadriven/interpreter.hpp"

#include <fstream>
#include <iostream>
#include <sstream>

namespace {

using namespace caucus;

struct tally {
  size_t passed = 0;
  size_t failed = 0;
};

void run_file(const std::string& path, tally& total) {
  std::ifstream file{path};
  std::stringstream text;
  text << file.rdbuf();
  auto fail = [&](const std::string& why) {
    std::cout << "FAIL " << path << ": " << why << '\n';
    ++total.failed;
  };
  if (!file) {
    fail("can't be read");
    return;
  }
  auto cases = datadriven::parse_cases(text.str());
  if (!cases) {
    fail(cases.reason().what);
    return;
  }
  datadriven::interpreter state;
  for (auto& next : *cases) {
    if (auto ran = state.run(next); !ran) {
      fail(ran.reason().what);
    } else {
      std::cout << "pass " << path << ":" << next.line << ' ' << next.command << '\n';
      ++total.passed;
    }
  }
}

} // namespace

int main(int argc, char** argv) {
  if (argc < 2 || std::string_view{argv[1]} == "--help") {
    std::cout << "usage: caucus-datadriven FILE...\n"
                 "Checks quorum and configuration-change cases against the library, one line a "
                 "case.\nExit status 1 if any fails.\n";
    return argc < 2 ? 2 : 0;
  }
  tally total;
  for (int i = 1; i < argc; ++i)
    run_file(argv[i], total);
  std::cout << total.passed << " passed, " << total.failed << " failed\n";
  return total.failed == 0 ? 0 : 1;
}
