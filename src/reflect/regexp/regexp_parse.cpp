// Reads the syntax of Go's regexp/syntax (flags Perl). Each error names the part of the pattern
// that Go's names.
#include <optional>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "reflect/regexp/regexp_escape.h"
#include "reflect/regexp/regexp_tree.h"

namespace podium::reflect {
namespace {

using Node = RegexpNode;

constexpr int kMaxRepeat = 1000;
constexpr uint32_t kMaxHeight = 1000;
// Work that the classes of a pattern may make: a step for each range that they have or had while
// they were read. \pL has six hundred; all characters have three thousand others that differ by
// case. For a class by its Unicode name all runs of characters are gone through.
constexpr size_t kMaxClassWork = 200'000;
constexpr size_t kUnicodeClassWork = 100;

bool IsCaptureName(std::string_view name) {
  for (const char c : name) {
    if (c != '_' && !IsLetterOrDigit(c)) return false;
  }
  return !name.empty();
}

struct Flags {
  bool fold_case = false;
  bool multi_line = false;
  bool dot_newline = false;
};

class Parser {
 public:
  explicit Parser(std::string_view pattern) : pattern_(pattern), rest_(pattern) {
    groups_.emplace_back();
  }

  Result<RegexpTree> Parse() {
    // Go finds bad UTF-8 when it gets there, and names the rest of the pattern.
    while (!rest_.empty()) {
      const std::string_view at = rest_;
      repeated_ = false;
      TRY_VOID(ParseOne());
      if (!repeated_) last_repeat_ = std::nullopt;
      if (repeated_) last_repeat_ = at;
      if (tree_too_high_) return RegexpError("expression nests too deeply", pattern_);
      TRY_VOID(CheckClassWork());
    }
    if (groups_.size() != 1) return RegexpError("missing closing )", pattern_);
    tree_.root = CloseAlternatives();
    if (tree_too_high_) return RegexpError("expression nests too deeply", pattern_);
    return std::move(tree_);
  }

 private:
  struct Group {
    std::vector<uint32_t> alternatives;
    std::vector<uint32_t> items;
    Flags flags;  // from before the group
    bool captures = false;
  };

  uint32_t Add(Node node) {
    for (const uint32_t child : node.children) {
      node.height = std::max(node.height, tree_.nodes[child].height + 1);
    }
    if (node.height > kMaxHeight) tree_too_high_ = true;
    tree_.nodes.push_back(std::move(node));
    return static_cast<uint32_t>(tree_.nodes.size() - 1);
  }
  void Push(uint32_t node) { groups_.back().items.push_back(node); }
  void PushAssertion(Node::Assertion assertion) {
    Push(Add({.op = Node::Op::kAssert, .assertion = assertion}));
  }
  void PushClass(CharClass char_class) {
    class_work_ += char_class.ranges();
    tree_.classes.push_back(std::move(char_class));
    Push(Add(
        {.op = Node::Op::kClass, .char_class = static_cast<uint32_t>(tree_.classes.size() - 1)}));
  }
  Result<void> CheckClassWork() const {
    if (class_work_ <= kMaxClassWork) return {};
    return RegexpError("expression too large", pattern_);
  }
  void AddCases(CharClass* char_class) {
    if (flags_.fold_case) class_work_ += char_class->AddOtherCases();
  }
  void PushLiteral(char32_t rune) {
    CharClass char_class({{rune, rune}});
    AddCases(&char_class);
    PushClass(std::move(char_class));
  }

  void CloseItems() {
    Group& group = groups_.back();
    std::vector<uint32_t> items = std::exchange(group.items, {});
    if (items.size() == 1) {
      group.alternatives.push_back(items[0]);
      return;
    }
    const Node::Op op = items.empty() ? Node::Op::kEmpty : Node::Op::kConcat;
    group.alternatives.push_back(Add({.op = op, .children = std::move(items)}));
  }
  uint32_t CloseAlternatives() {
    CloseItems();
    std::vector<uint32_t> alternatives = std::exchange(groups_.back().alternatives, {});
    if (alternatives.size() == 1) return alternatives[0];
    return Add({.op = Node::Op::kAlternate, .children = std::move(alternatives)});
  }

  void OpenGroup(bool captures) {
    groups_.push_back({.alternatives = {}, .items = {}, .flags = flags_, .captures = captures});
  }

  Result<void> CloseGroup() {
    if (groups_.size() == 1) return RegexpError("unexpected )", pattern_);
    uint32_t node = CloseAlternatives();
    const Group group = std::move(groups_.back());
    groups_.pop_back();
    flags_ = group.flags;
    if (group.captures) node = Add({.op = Node::Op::kCapture, .children = {node}});
    Push(node);
    return {};
  }

  Result<void> ParseOne() {
    switch (rest_[0]) {
      case '(':
        if (rest_.starts_with("(?")) return ParsePerlGroup();
        OpenGroup(true);
        break;
      case '|':
        CloseItems();
        break;
      case ')':
        TRY_VOID(CloseGroup());
        break;
      case '^':
        PushAssertion(flags_.multi_line ? Node::Assertion::kBeginLine
                                        : Node::Assertion::kBeginText);
        break;
      case '$':
        PushAssertion(flags_.multi_line ? Node::Assertion::kEndLine : Node::Assertion::kEndText);
        break;
      case '.':
        PushClass(flags_.dot_newline ? CharClass({{0, kMaxRune}})
                                     : CharClass({{0, '\n' - 1}, {'\n' + 1, kMaxRune}}));
        break;
      case '[':
        return ParseClass();
      case '*':
        return Repeat(0, -1, rest_.substr(1), false);
      case '+':
        return Repeat(1, -1, rest_.substr(1), false);
      case '?':
        return Repeat(0, 1, rest_.substr(1), false);
      case '{':
        return ParseCount();
      case '\\':
        return ParseBackslash();
      default: {
        TRY(const char32_t rune, NextRune(&rest_));
        PushLiteral(rune);
        return {};
      }
    }
    rest_.remove_prefix(1);
    return {};
  }

  // The product of nested counts must not exceed the limit either.
  bool CountFits(uint32_t node, int limit) const {
    const Node& n = tree_.nodes[node];
    if (n.op == Node::Op::kRepeat && n.max != 1 && (n.max >= 2 || n.min >= 2 || n.max == 0)) {
      const int count = n.max < 0 ? n.min : n.max;
      if (count == 0) return true;
      if (count > limit) return false;
      limit /= count;
    }
    for (const uint32_t child : n.children) {
      if (!CountFits(child, limit)) return false;
    }
    return true;
  }

  Result<void> Repeat(int min, int max, std::string_view after, bool counted) {
    if (after.starts_with('?')) after.remove_prefix(1);
    if (last_repeat_) {
      return RegexpError("invalid nested repetition operator", Before(*last_repeat_, after));
    }
    std::vector<uint32_t>& items = groups_.back().items;
    if (items.empty()) {
      return RegexpError("missing argument to repetition operator", Before(rest_, after));
    }
    const uint32_t node =
        Add({.op = Node::Op::kRepeat, .min = min, .max = max, .children = {items.back()}});
    items.back() = node;
    if (counted && (min >= 2 || max >= 2) && !CountFits(node, kMaxRepeat)) {
      return RegexpError("invalid repeat count", Before(rest_, after));
    }
    rest_ = after;
    repeated_ = true;
    return {};
  }

  // A decimal number; -1 when it is large.
  static std::optional<int> TakeInt(std::string_view* text) {
    if (text->empty() || !IsDigit(text->front())) return std::nullopt;
    if (text->size() >= 2 && (*text)[0] == '0' && IsDigit((*text)[1])) return std::nullopt;
    int value = 0;
    for (; !text->empty() && IsDigit(text->front()); text->remove_prefix(1)) {
      if (value >= 100'000'000) value = -1;
      if (value >= 0) value = value * 10 + (text->front() - '0');
    }
    return value;
  }

  // {2}, {2,} and {2,5}; anything else is a brace.
  Result<void> ParseCount() {
    std::string_view after = rest_.substr(1);
    const std::optional<int> first = TakeInt(&after);
    std::optional<int> last = first;
    bool bad = first && *first < 0;
    if (first && after.starts_with(',')) {
      after.remove_prefix(1);
      if (after.starts_with('}')) {
        last = -1;
      } else {
        last = TakeInt(&after);
        bad = bad || (last && *last < 0);
      }
    }
    if (!first || !last || !after.starts_with('}')) {
      PushLiteral('{');
      rest_.remove_prefix(1);
      return {};
    }
    after.remove_prefix(1);
    if (bad || *first > kMaxRepeat || *last > kMaxRepeat || (*last >= 0 && *first > *last)) {
      return RegexpError("invalid repeat count", Before(rest_, after));
    }
    return Repeat(*first, *last, after, true);
  }

  // What begins with "(?": a named group, a group that captures nothing, flags.
  Result<void> ParsePerlGroup() {
    std::string_view rest = rest_;
    const bool python = rest.size() > 4 && rest.substr(2).starts_with("P<");
    if (python || (rest.size() > 3 && rest[2] == '<')) {
      const size_t end = rest.find('>');
      if (end == std::string_view::npos) {
        TRY_VOID(CheckPatternUtf8(rest));
        return RegexpError("invalid named capture", rest);
      }
      const size_t start = python ? 4 : 3;
      const std::string_view name = end < start ? "" : rest.substr(start, end - start);
      TRY_VOID(CheckPatternUtf8(name));
      if (!IsCaptureName(name)) {
        return RegexpError("invalid named capture", rest.substr(0, end + 1));
      }
      OpenGroup(true);
      rest_.remove_prefix(end + 1);
      return {};
    }
    rest.remove_prefix(2);
    Flags flags = flags_;
    bool on = true;
    bool saw_flag = false;
    while (!rest.empty()) {
      TRY(const char32_t c, NextRune(&rest));
      if (c == 'i' || c == 'm' || c == 's' || c == 'U') {
        if (c == 'i') flags.fold_case = on;
        if (c == 'm') flags.multi_line = on;
        if (c == 's') flags.dot_newline = on;
        saw_flag = true;
      } else if (c == '-' && on) {
        on = false;
        saw_flag = false;
      } else if ((c == ':' || c == ')') && (on || saw_flag)) {
        if (c == ':') OpenGroup(false);
        flags_ = flags;
        rest_ = rest;
        return {};
      } else {
        break;
      }
    }
    return RegexpError("invalid or unsupported Perl syntax", Before(rest_, rest));
  }

  Result<void> ParseBackslash() {
    const char letter = rest_.size() >= 2 ? rest_[1] : '\0';
    switch (letter) {
      case 'A':
        PushAssertion(Node::Assertion::kBeginText);
        break;
      case 'z':
        PushAssertion(Node::Assertion::kEndText);
        break;
      case 'b':
        PushAssertion(Node::Assertion::kWordBoundary);
        break;
      case 'B':
        PushAssertion(Node::Assertion::kNoWordBoundary);
        break;
      case 'C':
        return RegexpError("invalid escape sequence", rest_.substr(0, 2));
      case 'Q':
        return ParseQuoted();
      default: {
        CharClass group;
        TRY(const bool is_group, TakeGroup(&rest_, &group));
        if (is_group) {
          PushClass(std::move(group));
          return {};
        }
        TRY(const char32_t rune, TakeEscape(&rest_));
        PushLiteral(rune);
        return {};
      }
    }
    rest_.remove_prefix(2);
    return {};
  }

  // \Q...\E: all literal.
  Result<void> ParseQuoted() {
    rest_.remove_prefix(2);
    const size_t end = rest_.find("\\E");
    std::string_view literal = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 2);
    while (!literal.empty()) {
      TRY(const char32_t rune, NextRune(&literal));
      PushLiteral(rune);
    }
    return {};
  }

  // \d and \p{Greek}; false when *text begins with neither.
  Result<bool> TakeGroup(std::string_view* text, CharClass* out) {
    if (text->size() < 2 || (*text)[0] != '\\') return false;
    const char letter = (*text)[1];
    if (letter != 'p' && letter != 'P') {
      std::optional<CharClass> group = PerlClass(letter);
      if (!group) return false;
      text->remove_prefix(2);
      // No member of \d and \s has cases; \w gains two, which its negation loses.
      if (flags_.fold_case) Fold(&*group, IsUpper(letter));
      *out = std::move(*group);
      return true;
    }
    bool negated = letter == 'P';
    std::string_view rest = text->substr(2);
    if (rest.empty()) {
      // Go reads one more character, of which there is none.
      return RegexpError("invalid character class range", *text);
    }
    TRY(const char32_t first, NextRune(&rest));
    std::string_view whole = Before(*text, rest);
    std::string_view name = whole.substr(2);
    if (first == '{') {
      const size_t end = text->find('}');
      if (end == std::string_view::npos) {
        TRY_VOID(CheckPatternUtf8(*text));
        return RegexpError("invalid character class range", *text);
      }
      whole = text->substr(0, end + 1);
      name = text->substr(3, end - 3);
      TRY_VOID(CheckPatternUtf8(name));
    }
    if (name.starts_with('^')) {
      negated = !negated;
      name.remove_prefix(1);
    }
    std::optional<CharClass> group = UnicodeClass(name);
    if (!group) return RegexpError("invalid character class range", whole);
    class_work_ += kUnicodeClassWork;
    AddCases(&*group);
    if (negated) group->Negate();
    text->remove_prefix(whole.size());
    *out = std::move(*group);
    return true;
  }

  static void Fold(CharClass* group, bool negated) {
    if (negated) group->Negate();
    group->AddOtherCases();
    if (negated) group->Negate();
  }

  Result<char32_t> TakeClassChar(std::string_view* text, std::string_view whole) {
    if (text->empty()) return RegexpError("missing closing ]", whole);
    if (text->front() == '\\') return TakeEscape(text);
    return NextRune(text);
  }

  Result<void> ParseClass() {
    const std::string_view whole = rest_;
    std::string_view text = whole.substr(1);
    const bool negated = text.starts_with('^');
    if (negated) text.remove_prefix(1);
    CharClass out;
    for (bool first = true; first || !text.starts_with(']'); first = false) {
      TRY_VOID(ParseClassPart(&text, whole, &out));
      TRY_VOID(CheckClassWork());
    }
    text.remove_prefix(1);
    out.Normalize();
    if (negated) out.Negate();
    PushClass(std::move(out));
    rest_ = text;
    return {};
  }

  Result<void> ParseClassPart(std::string_view* text, std::string_view whole, CharClass* out) {
    if (text->size() > 2 && text->starts_with("[:") && may_have_posix_classes_) {
      const size_t end = text->find(":]", 2);
      may_have_posix_classes_ = end != std::string_view::npos;
      if (may_have_posix_classes_) {
        const std::string_view name = text->substr(0, end + 2);
        std::optional<CharClass> group = PosixClass(name);
        if (!group) return RegexpError("invalid character class range", name);
        if (flags_.fold_case) Fold(&*group, name[2] == '^');
        out->Add(*group);
        text->remove_prefix(name.size());
        return {};
      }
    }
    CharClass group;
    TRY(const bool is_group, TakeGroup(text, &group));
    if (is_group) {
      class_work_ += group.ranges();
      out->Add(group);
      return {};
    }
    const std::string_view range = *text;
    TRY(const char32_t low, TakeClassChar(text, whole));
    char32_t high = low;
    if (text->size() >= 2 && (*text)[0] == '-' && (*text)[1] != ']') {
      text->remove_prefix(1);
      TRY(high, TakeClassChar(text, whole));
      if (high < low) return RegexpError("invalid character class range", Before(range, *text));
    }
    CharClass one({{low, high}});
    AddCases(&one);
    out->Add(one);
    return {};
  }

  const std::string_view pattern_;
  std::string_view rest_;
  RegexpTree tree_;
  std::vector<Group> groups_;
  Flags flags_;
  std::optional<std::string_view> last_repeat_;  // where the operator just read began
  bool repeated_ = false;
  bool tree_too_high_ = false;
  bool may_have_posix_classes_ = true;  // false when no ":]" is left
  size_t class_work_ = 0;
};

}  // namespace

Error RegexpError(std::string_view problem, std::string_view where) {
  return Error(Code::kInvalidArgument,
               "error parsing regexp: " + std::string(problem) + ": `" + std::string(where) + "`");
}

Result<RegexpTree> ParseRegexp(std::string_view pattern) { return Parser(pattern).Parse(); }

}  // namespace podium::reflect
