#include "reflect/regexp/regexp.h"

#include <algorithm>

#include "base/ascii.h"
#include "reflect/go_text.h"
#include "reflect/regexp/regexp_tree.h"
#include "reflect/utf8.h"

namespace podium::reflect {
namespace {

// Stands before the first character and behind the last.
constexpr char32_t kNoRune = 0xFFFFFFFF;

bool IsWordRune(char32_t rune) {
  return rune < 0x80 && (IsLetterOrDigit(static_cast<char>(rune)) || rune == '_');
}

}  // namespace

// Thompson's construction, from the end to the beginning: the states of a node go on at a state
// that is known.
class RegexpCompiler {
 public:
  RegexpCompiler(const RegexpTree& tree, Regexp* out) : tree_(tree), out_(*out) {}

  // False when there are too many states.
  bool Compile() {
    const uint32_t match = Add({.op = Op::kMatch});
    out_.start_ = Node(tree_.root, match);
    return out_.states_.size() <= Regexp::kMaxStates;
  }

 private:
  using State = Regexp::State;
  using Op = State::Op;

  uint32_t Add(State state) {
    out_.states_.push_back(state);
    return static_cast<uint32_t>(out_.states_.size() - 1);
  }
  uint32_t Split(uint32_t next, uint32_t other) {
    return Add({.op = Op::kSplit, .next = next, .other = other});
  }

  // The state where the node begins, when it goes on at `next`.
  uint32_t Node(uint32_t index, uint32_t next) {
    if (out_.states_.size() > Regexp::kMaxStates) return next;
    const RegexpNode& node = tree_.nodes[index];
    switch (node.op) {
      case RegexpNode::Op::kEmpty:
        return next;
      case RegexpNode::Op::kClass:
        return Add({.op = Op::kClass, .next = next, .other = node.char_class});
      case RegexpNode::Op::kAssert:
        return Add({.op = Assertion(node.assertion), .next = next});
      case RegexpNode::Op::kConcat:
        for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) {
          next = Node(*child, next);
        }
        return next;
      case RegexpNode::Op::kAlternate: {
        uint32_t start = Node(node.children.back(), next);
        for (size_t i = node.children.size() - 1; i-- > 0;) {
          start = Split(Node(node.children[i], next), start);
        }
        return start;
      }
      case RegexpNode::Op::kCapture:
        return Node(node.children[0], next);
      case RegexpNode::Op::kRepeat:
        break;
    }
    return Repeat(node, next);
  }

  // x{2,} is xxx*, x{2,4} is xx(x(x)?)?.
  uint32_t Repeat(const RegexpNode& node, uint32_t next) {
    const uint32_t child = node.children[0];
    uint32_t start = next;
    if (node.max < 0) {
      const uint32_t loop = Split(0, next);
      const uint32_t body = Node(child, loop);
      out_.states_[loop].next = body;
      start = loop;
    } else {
      for (int i = node.min; i < node.max; ++i) start = Split(Node(child, start), next);
    }
    for (int i = 0; i < node.min; ++i) start = Node(child, start);
    return start;
  }

  static Op Assertion(RegexpNode::Assertion assertion) {
    switch (assertion) {
      case RegexpNode::Assertion::kBeginText:
        return Op::kBeginText;
      case RegexpNode::Assertion::kEndText:
        return Op::kEndText;
      case RegexpNode::Assertion::kBeginLine:
        return Op::kBeginLine;
      case RegexpNode::Assertion::kEndLine:
        return Op::kEndLine;
      case RegexpNode::Assertion::kWordBoundary:
        return Op::kWordBoundary;
      case RegexpNode::Assertion::kNoWordBoundary:
        break;
    }
    return Op::kNoWordBoundary;
  }

  const RegexpTree& tree_;
  Regexp& out_;
};

Result<Regexp> Regexp::Compile(std::string_view pattern) {
  TRY(RegexpTree tree, ParseRegexp(pattern));
  Regexp out;
  if (!RegexpCompiler(tree, &out).Compile()) return RegexpError("expression too large", pattern);
  out.classes_ = std::move(tree.classes);
  return out;
}

bool Regexp::Holds(State::Op op, char32_t before, char32_t after) const {
  switch (op) {
    case State::Op::kBeginText:
      return before == kNoRune;
    case State::Op::kEndText:
      return after == kNoRune;
    case State::Op::kBeginLine:
      return before == kNoRune || before == '\n';
    case State::Op::kEndLine:
      return after == kNoRune || after == '\n';
    case State::Op::kWordBoundary:
      return IsWordRune(before) != IsWordRune(after);
    case State::Op::kNoWordBoundary:
      return IsWordRune(before) == IsWordRune(after);
    default:
      return true;
  }
}

// The states that the search is in, between two characters.
struct Regexp::Search {
  const Regexp& regexp;
  std::vector<uint32_t> states;   // of kClass
  std::vector<uint32_t> stack;    // still to be entered
  std::vector<uint32_t> entered;  // in which place each state was entered last, plus one
  size_t steps = 0;

  explicit Search(const Regexp& r) : regexp(r), entered(r.states_.size(), 0) {}

  // Enters a state and all that it leads to without a character; true when that is a match.
  bool Enter(uint32_t first, uint32_t place, char32_t before, char32_t after) {
    stack.push_back(first);
    while (!stack.empty()) {
      const uint32_t index = stack.back();
      stack.pop_back();
      if (entered[index] == place) continue;
      entered[index] = place;
      ++steps;
      const State& state = regexp.states_[index];
      if (state.op == State::Op::kMatch) return true;
      if (state.op == State::Op::kClass) {
        states.push_back(index);
      } else if (regexp.Holds(state.op, before, after)) {
        stack.push_back(state.next);
        if (state.op == State::Op::kSplit) stack.push_back(state.other);
      }
    }
    return false;
  }
};

std::optional<bool> Regexp::Match(std::string_view text, size_t max_steps) const {
  Search search(*this);
  std::vector<uint32_t> previous;
  char32_t before = kNoRune;
  for (uint32_t place = 1;; ++place) {
    const size_t size = text.empty() ? 0 : std::max<size_t>(Utf8Length(text), 1);
    char32_t after = kNoRune;
    if (!text.empty()) {
      const bool good = Utf8Length(text) > 0;
      after = good ? DecodeRune(text.substr(0, size)) : U'\ufffd';
    }
    // What the characters up to here have led to, and a match that begins here.
    for (const uint32_t index : previous) {
      const State& state = states_[index];
      if (!classes_[state.other].Has(before)) continue;
      if (search.Enter(state.next, place, before, after)) return true;
    }
    if (search.Enter(start_, place, before, after)) return true;
    if (search.steps > max_steps) return std::nullopt;
    if (text.empty()) return false;
    previous.swap(search.states);
    search.states.clear();
    before = after;
    text.remove_prefix(size);
  }
}

}  // namespace podium::reflect
