// Random objects of any described type, for properties that hold of all of them.
#pragma once

#include <cstdint>

#include "reflect/type.h"

namespace podium::testing {

struct RandomOptions {
  uint64_t seed = 0;
  // Of boxes, lists and maps that are filled at the first level; deeper ones get fewer.
  double fill = 0.7;
  // Only what protobuf carries: it does not tell an empty list, map or byte string from none, and
  // writes kind and apiVersion of the outermost object alone.
  bool for_protobuf = false;
};

// Fills a default-made object. The values are in canonical form: decoding what is encoded gives the
// same text again. The same seed gives the same object.
void FillRandom(const reflect::Type& type, void* object, const RandomOptions& options);

}  // namespace podium::testing
