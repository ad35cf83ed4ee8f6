#include "reflect/field_path.h"

#include <algorithm>
#include <charconv>
#include <system_error>
#include <utility>

#include "base/ascii.h"

namespace podium::reflect {
namespace {

// The characters that end a bare name.
constexpr std::string_view kSpecial = ".[]";

// The number that `text` is in its shortest form, if it is one.
std::optional<size_t> ReadIndex(std::string_view text) {
  size_t index = 0;
  const auto [stop, error] = std::from_chars(text.begin(), text.end(), index);
  if (error != std::errc() || stop != text.end() || text.empty()) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;
  return index;
}

// What Text writes without quotes; the parser takes more.
bool IsBareCharacter(char c) { return IsLetterOrDigit(c) || c == '_' || c == '-' || c == '$'; }

class PathParser {
 public:
  explicit PathParser(std::string_view text) : text_(text) {}

  Result<FieldPath> Parse() {
    std::vector<PathStep> steps;
    while (at_ < text_.size()) {
      const char first = text_[at_];
      PathStep& step = steps.emplace_back();
      bool read = false;
      if (first == '[') {
        read = ReadBrackets(&step);
      } else if (steps.size() == 1) {
        read = ReadName(&step);
      } else if (first == '.') {
        ++at_;
        read = ReadName(&step);
      } else {
        read = Fail("expected '.' or '['");
      }
      if (!read) {
        return Error(Code::kInvalidArgument, "field path \"" + std::string(text_) + "\": offset " +
                                                 std::to_string(at_) + ": " + problem_);
      }
    }
    return FieldPath(std::move(steps));
  }

 private:
  bool Fail(const char* problem) {
    problem_ = problem;
    return false;
  }

  bool ReadName(PathStep* step) {
    const size_t end = std::min(text_.find_first_of(kSpecial, at_), text_.size());
    if (end == at_) return Fail("expected a name");
    step->name = text_.substr(at_, end - at_);
    at_ = end;
    return true;
  }

  // Whether a bracket that closes at `at` closes the step: the next one follows, or nothing.
  bool EndsStep(size_t at) const {
    return at + 1 == text_.size() || text_[at + 1] == '.' || text_[at + 1] == '[';
  }

  bool ReadBrackets(PathStep* step) {
    const size_t start = at_ + 1;
    if (start < text_.size() && (text_[start] == '\'' || text_[start] == '"')) {
      return ReadQuoted(text_[start], step);
    }
    // Keys as validation writes them may hold a bracket of their own.
    size_t end = text_.find(']', start);
    while (end != std::string_view::npos && !EndsStep(end)) end = text_.find(']', end + 1);
    if (end == std::string_view::npos) return Fail("expected ']'");
    if (end == start) return Fail("expected an index or a key");
    step->name = text_.substr(start, end - start);
    step->index = ReadIndex(step->name);
    at_ = end + 1;
    return true;
  }

  bool ReadQuoted(char quote, PathStep* step) {
    for (size_t i = at_ + 2; i < text_.size(); ++i) {
      char c = text_[i];
      if (c == quote) {
        if (i + 1 == text_.size() || text_[i + 1] != ']') break;
        at_ = i + 2;
        return true;
      }
      if (c == '\\' && i + 1 < text_.size()) c = text_[++i];
      step->name += c;
    }
    return Fail(quote == '"' ? "expected \"]" : "expected ']");
  }

  std::string_view text_;
  size_t at_ = 0;
  const char* problem_ = "";
};

}  // namespace

Result<FieldPath> FieldPath::Parse(std::string_view text) { return PathParser(text).Parse(); }

void AppendPathName(std::string_view name, std::string* out) {
  if (!name.empty() && std::ranges::all_of(name, IsBareCharacter)) {
    if (!out->empty()) *out += '.';
    *out += name;
    return;
  }
  *out += "['";
  for (const char c : name) {
    if (c == '\'' || c == '\\') *out += '\\';
    *out += c;
  }
  *out += "']";
}

void AppendPathIndex(size_t index, std::string* out) { *out += '[' + std::to_string(index) + ']'; }

std::string FieldPath::Text() const {
  std::string out;
  for (const PathStep& step : steps_) {
    if (step.index) {
      AppendPathIndex(*step.index, &out);
    } else {
      AppendPathName(step.name, &out);
    }
  }
  return out;
}

}  // namespace podium::reflect
