// Regular expressions in the syntax of Go's regexp package (RE2 with Perl's classes), which the
// patterns of custom resources are written in; the error of a bad one is Go's.
//
// An expression becomes a list of states that are all followed at once: time is linear in the text
// times the size of the expression, whatever the expression, and there is no backtracking. Both
// factors are bounded here: an expression may have so many states, a search may take so many steps.
//
// Unicode classes are those of Unicode 14 (tools/unicode_tables.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/regexp/char_class.h"

namespace podium::reflect {

// Immutable; any thread may search with it.
class Regexp {
 public:
  // States of a compiled expression; Go allows three million, which a search may all visit for each
  // character.
  static constexpr size_t kMaxStates = 50'000;
  // Of one search: states entered.
  static constexpr size_t kMaxSteps = 200'000'000;

  // kInvalidArgument with Go's text: "error parsing regexp: missing closing ]: `[a`".
  static Result<Regexp> Compile(std::string_view pattern);

  // Whether the text holds a match. Bytes that are not UTF-8 count as U+FFFD each. Nothing when it
  // would take too many steps.
  std::optional<bool> Match(std::string_view text, size_t max_steps = kMaxSteps) const;

  size_t states() const { return states_.size(); }

 private:
  friend class RegexpCompiler;

  struct State {
    enum class Op : uint8_t {
      kClass,  // one character of a class
      kSplit,  // goes on at next and at other
      kEmpty,  // goes on at next
      kBeginText,
      kEndText,
      kBeginLine,
      kEndLine,
      kWordBoundary,
      kNoWordBoundary,
      kMatch,
    };
    Op op;
    uint32_t next = 0;
    uint32_t other = 0;  // kSplit: a state; kClass: an index into classes_
  };
  struct Search;

  bool Holds(State::Op op, char32_t before, char32_t after) const;

  std::vector<State> states_;
  std::vector<CharClass> classes_;
  uint32_t start_ = 0;
};

}  // namespace podium::reflect
