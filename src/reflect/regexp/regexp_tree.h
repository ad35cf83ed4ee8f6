// A regular expression as it was read. Private to reflect/regexp.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "reflect/regexp/char_class.h"

namespace podium::reflect {

struct RegexpNode {
  enum class Op : uint8_t {
    kEmpty,
    kClass,   // one character
    kAssert,  // of what stands around a place: `assertion`
    kConcat,
    kAlternate,
    kCapture,  // one child; what it holds is not kept
    kRepeat,   // one child, min to max times; max -1: no end
  };
  enum class Assertion : uint8_t {
    kBeginText,
    kEndText,
    kBeginLine,
    kEndLine,
    kWordBoundary,
    kNoWordBoundary,
  };

  Op op = Op::kEmpty;
  Assertion assertion = Assertion::kBeginText;
  int min = 0;
  int max = 0;
  uint32_t char_class = 0;           // index into RegexpTree::classes
  std::vector<uint32_t> children{};  // indices into RegexpTree::nodes
  uint32_t height = 1;
};

struct RegexpTree {
  std::vector<RegexpNode> nodes;
  std::vector<CharClass> classes;
  uint32_t root = 0;
};

// Depth of the tree is at most 1000, as Go's. Errors as of Regexp::Compile.
Result<RegexpTree> ParseRegexp(std::string_view pattern);

// The error that Go prints.
Error RegexpError(std::string_view problem, std::string_view where);

}  // namespace podium::reflect
