#include "reflect/json_duplicates.h"

#include <algorithm>
#include <set>
#include <utility>

#include "reflect/go_text.h"
#include "reflect/json_scanner.h"

namespace podium::reflect {
namespace {

constexpr size_t kMostTexts = 100;
constexpr size_t kMostBytes = 1 << 20;  // of the texts, whose paths may be long
constexpr size_t kMostDepth = 10'000;

// An object or list that is open. The path is that of its member at hand.
struct Level {
  size_t path_size = 0;  // of the container itself
  size_t index = 0;      // of a list's element
  bool is_list = false;
  std::set<std::string, std::less<>> names{};  // of an object
};

class Finder {
 public:
  explicit Finder(std::string_view json) : scanner_(json) {}

  std::vector<std::string> Run() {
    while (Step() && texts_.size() < kMostTexts && bytes_ < kMostBytes) {
    }
    return std::move(texts_);
  }

 private:
  // To the next value, and into it. False at the end, or at what is no JSON.
  bool Step() {
    const char first = scanner_.Peek();
    if (first == '{' || first == '[') {
      if (levels_.size() == kMostDepth) return false;
      scanner_.Advance();
      levels_.push_back({.path_size = path_.size(), .is_list = first == '['});
      if (!scanner_.Consume(first == '{' ? '}' : ']')) return Enter();
      levels_.pop_back();
    } else if (!scanner_.SkipValue(1)) {
      return false;
    }
    return Leave();
  }

  // Behind a value: to the next one, out of what ends here.
  bool Leave() {
    while (!levels_.empty()) {
      Level& level = levels_.back();
      path_.resize(level.path_size);
      if (scanner_.Consume(',')) {
        ++level.index;
        return Enter();
      }
      if (!scanner_.Consume(level.is_list ? ']' : '}')) return false;
      levels_.pop_back();
    }
    return false;
  }

  // Before a member or an element.
  bool Enter() {
    Level& level = levels_.back();
    if (level.is_list) {
      path_ += "[" + std::to_string(level.index) + "]";
      return true;
    }
    std::string_view name;
    bool clean = true;
    if (scanner_.Peek() != '"' || !scanner_.ReadString(&name, &buffer_, &clean)) return false;
    if (!path_.empty()) path_ += '.';
    path_ += name;
    if (!level.names.emplace(name).second) Note();
    return scanner_.Consume(':');
  }

  void Note() {
    std::string text = "duplicate field " + GoQuoted(path_);
    if (std::ranges::find(texts_, text) != texts_.end()) return;
    bytes_ += text.size();
    texts_.push_back(std::move(text));
  }

  JsonScanner scanner_;
  std::vector<Level> levels_;
  std::string path_;
  std::string buffer_;
  std::vector<std::string> texts_;
  size_t bytes_ = 0;
};

}  // namespace

std::vector<std::string> DuplicateFields(std::string_view json) { return Finder(json).Run(); }

}  // namespace podium::reflect
