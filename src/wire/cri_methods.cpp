#include "wire/cri_methods.h"

#include <algorithm>

#include "wire/types/cri.h"

namespace podium::wire {

const reflect::Method* FindCriMethod(std::string_view path) {
  for (const auto& service : {cri::kRuntimeServiceMethods, cri::kImageServiceMethods}) {
    const auto found = std::ranges::find(service, path, &reflect::Method::path);
    if (found != service.end()) return &*found;
  }
  return nullptr;
}

}  // namespace podium::wire
