// Small random changes to an object, for properties that need objects near to sense: a valid object
// with a few changes reaches rules that random bytes never do.
#pragma once

#include <cstdint>

#include "reflect/type.h"

namespace podium::testing {

struct MutateOptions {
  uint64_t seed = 0;
  int changes = 1;
};

// Makes `changes` changes: a scalar gets another value (often one that its field knows), a list or
// map grows or shrinks by one, an optional part comes or goes. The object stays one that JSON can
// hold; its kind and apiVersion stay. The same seed changes equal objects alike.
void MutateObject(const reflect::Type& type, void* object, const MutateOptions& options);

}  // namespace podium::testing
