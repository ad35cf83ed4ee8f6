#include "api/defaults.h"

#include <cstddef>

#include "api/defaults/rules.h"

namespace podium::api {
namespace {

const defaults::Kind* FindKind(const reflect::Type& type) {
  using namespace defaults;
  for (auto kinds :
       {&CoreKinds, &AppsKinds, &NetworkKinds, &StorageKinds, &IdentityKinds, &ServerKinds}) {
    for (const Kind& kind : kinds()) {
      if (kind.type == &type) return &kind;
    }
  }
  return nullptr;
}

}  // namespace

void SetDefaults(const reflect::Type& type, void* object, const DefaultOptions& options) {
  if (type.has(reflect::kListKind)) {
    const reflect::Field* items = type.Find("items");
    if (!items || items->shape != reflect::Shape::kList || !items->type) return;
    const defaults::Kind* kind = FindKind(*items->type);
    if (!kind) return;
    const reflect::ListOps& ops = items->list();
    void* list = items->at(object);
    auto* item = static_cast<std::byte*>(ops.data(list));
    for (size_t left = ops.size(list); left > 0; --left, item += ops.stride) {
      kind->apply(item, options);
    }
  } else if (const defaults::Kind* kind = FindKind(type)) {
    kind->apply(object, options);
  }
}

}  // namespace podium::api
