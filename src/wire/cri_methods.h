// The calls of the CRI, found by the path that gRPC names them with. The messages themselves are in
// "wire/types/cri.h".
#pragma once

#include <string_view>

#include "reflect/type.h"

namespace podium::wire {

// The call of RuntimeService or ImageService with this path ("/runtime.v1.RuntimeService/Version"),
// or null. Any thread may call.
const reflect::Method* FindCriMethod(std::string_view path);

}  // namespace podium::wire
