// How objects of a type are copied: what CopyObject would find out of the fields' descriptors each
// time, found out once. Private to reflect.
//
// Of Container, for instance:
//   plain   the words of stdin, stdinOnce and tty, copied without a look at them
//   probes  a word of each string, list, map and box, and what to do where it is not zero: most of
//           a container's 24 fields are empty
//   always  what cannot be told from one word: leaves that own memory, Bytes, Nullables
// Objects inside the object (Container::resources) are parts of its plan. Those that it points to
// have plans of their own.
#pragma once

#include <cstdint>
#include <span>

#include "reflect/type.h"

namespace podium::reflect {

struct CopyStep {
  enum class Action : uint8_t {
    kText,     // std::string
    kBox,      // Box of a struct
    kObjects,  // List of a struct
    kField,    // anything else, as the field's descriptor says
    kNothing,
  };

  const Field* field;
  uint32_t offset;  // of the field in the object, also where it is one of an object inside
  Action action;
};

// Offsets in words of 8 bytes.
struct CopyPlan {
  // Probes and their steps are filled up to a multiple of this.
  static constexpr size_t kAtOnce = 4;

  const Type* type;
  // Words of nothing but trivially copyable members and padding.
  std::span<const uint16_t> plain;
  // A word of each of `steps`; zero when there is nothing to copy. Otherwise there may be.
  std::span<const uint16_t> probes;
  const CopyStep* steps;
  std::span<const CopyStep> always;
};

// The plan of a type, made when it is first asked for and kept for good. From any thread; what it
// allocates is no part of a BulkAllocation. Null for types made at run time, which may go away, and
// when there is no room for another plan: copy by the descriptor then.
const CopyPlan* FindCopyPlan(const Type& type);

}  // namespace podium::reflect
