// What a server does between decoding a new object and storing it, as far as validation looks at
// it.
#pragma once

#include "reflect/type.h"

namespace podium::testing {

// Defaults; a name, a namespace (none of kinds without), a uid, a resourceVersion and a
// creationTimestamp where they are missing; the generated selector of a Job; the selectors that
// matchLabelKeys of a Pod stand for. `object` is of a root kind.
void PrepareForStorage(const reflect::Type& type, void* object);

}  // namespace podium::testing
