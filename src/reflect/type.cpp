#include "reflect/type.h"

namespace podium::reflect {

const Field* Type::Find(std::string_view field_name) const {
  for (const Field& field : fields) {
    if (field.name() == field_name) return &field;
  }
  return nullptr;
}

std::string Type::ApiVersion() const {
  std::string out = package->group;
  if (!out.empty()) out += '/';
  return out + package->version;
}

}  // namespace podium::reflect
