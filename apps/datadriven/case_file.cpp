#include "apps/datadriven/case_file.hpp"

#include <algorithm>

namespace caucus::datadriven {

namespace {

constexpr std::string_view separator = "----";

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

class case_parser {
public:
  explicit case_parser(const std::string& text) {
    size_t begin = 0;
    while (begin < text.size()) {
      auto end = std::min(text.find('\n', begin), text.size());
      lines_.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }

  result<std::vector<test_case>> parse() {
    std::vector<test_case> cases;
    while (skip_to_case()) {
      test_case next;
      next.line = at_ + 1;
      if (auto read = read_case(next); !read)
        return read.reason();
      cases.push_back(std::move(next));
    }
    if (cases.empty())
      return error{errc::malformed, "there is no case in it"};
    return cases;
  }

private:
  [[nodiscard]] bool is_end() const { return at_ >= lines_.size(); }

  bool skip_to_case() {
    while (!is_end() && (is_blank(lines_[at_]) || lines_[at_].front() == '#'))
      ++at_;
    return !is_end();
  }

  [[nodiscard]] error bad(size_t line, const std::string& why) const {
    return {errc::malformed, "line " + std::to_string(line) + ": " + why};
  }

  result<void> read_case(test_case& next) {
    std::string directive = lines_[at_++];
    while (!directive.empty() && directive.back() == '\\' && !is_end()) {
      directive.pop_back();
      directive += lines_[at_++];
    }
    if (auto read = read_directive(directive.substr(0, directive.find('#')), next); !read)
      return read;
    while (!is_end() && lines_[at_] != separator)
      if (auto& line = lines_[at_++]; !is_blank(line) && line.front() != '#')
        next.input.push_back(line);
    if (is_end())
      return bad(next.line, "the case is cut off: no '----' follows it");
    ++at_;
    return read_expected(next);
  }

  /// Words, where a parenthesis may hold spaces.
  result<void> read_directive(const std::string& text, test_case& next) {
    size_t begin = 0;
    while ((begin = text.find_first_not_of(" \t\r", begin)) != std::string::npos) {
      auto end = begin;
      for (int depth = 0; end < text.size() && (depth > 0 || !is_blank(text.substr(end, 1)));
           ++end) {
        depth += text[end] == '(' ? 1 : 0;
        depth -= text[end] == ')' ? 1 : 0;
      }
      auto word = text.substr(begin, end - begin);
      begin = end;
      if (next.command.empty()) {
        next.command = word;
      } else if (auto read = read_argument(word, next); !read) {
        return read;
      }
    }
    return {};
  }

  result<void> read_argument(const std::string& word, test_case& next) {
    auto equals = word.find('=');
    auto key = word.substr(0, equals);
    if (equals == std::string::npos)
      next.words.push_back(word);
    std::vector<std::string> values;
    if (equals != std::string::npos) {
      auto value = word.substr(equals + 1);
      if (!value.empty() && value.front() == '(') {
        if (value.back() != ')')
          return bad(next.line, "the parenthesis of '" + key + "' does not close");
        values = split(value.substr(1, value.size() - 2));
      } else {
        values.push_back(value);
      }
    }
    if (!next.arguments.emplace(key, std::move(values)).second)
      return bad(next.line, "'" + key + "' is there twice");
    return {};
  }

  static std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> items;
    while (!is_blank(list)) {
      auto item = list.substr(0, list.find(','));
      list.remove_prefix(std::min(list.size(), item.size() + 1));
      auto first = item.find_first_not_of(" \t");
      auto last = item.find_last_not_of(" \t");
      items.emplace_back(first == item.npos ? item.substr(0, 0)
                                            : item.substr(first, last - first + 1));
    }
    return items;
  }

  result<void> read_expected(test_case& next) {
    if (!is_end() && lines_[at_] == separator)
      return read_fenced(next);
    while (!is_end() && !is_blank(lines_[at_]))
      next.expected.push_back(lines_[at_++]);
    return {};
  }

  /// Output with blank lines in it stands between two doubled separators.
  result<void> read_fenced(test_case& next) {
    for (++at_; !is_end(); ++at_) {
      if (lines_[at_] == separator && at_ + 1 < lines_.size() && lines_[at_ + 1] == separator) {
        at_ += 2;
        return {};
      }
      next.expected.push_back(lines_[at_]);
    }
    return bad(next.line, "the fence around the expected output does not close");
  }

  std::vector<std::string> lines_;
  size_t at_ = 0;
};

} // namespace

result<std::vector<test_case>> parse_cases(const std::string& text) {
  return case_parser{text}.parse();
}

} // namespace caucus::datadriven
