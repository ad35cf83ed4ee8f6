#include "apiserver/admission/admission.h"

#include "api/object_meta.h"
#include "api/status.h"

namespace podium::apiserver {

std::string_view NameOf(Operation operation) {
  switch (operation) {
    case Operation::kCreate:
      return "CREATE";
    case Operation::kUpdate:
      return "UPDATE";
    case Operation::kDelete:
      return "DELETE";
    case Operation::kConnect:
      return "CONNECT";
  }
  return "";
}

const api::meta::v1::ObjectMeta* AdmissionRequest::metadata() const {
  return object != nullptr ? api::FindObjectMeta(*type, object) : nullptr;
}

const api::meta::v1::ObjectMeta* AdmissionRequest::old_metadata() const {
  return old_object != nullptr ? api::FindObjectMeta(*old_type, old_object) : nullptr;
}

Error AdmissionRequest::Forbid(std::string_view why) const {
  std::string_view shown = name;
  if (shown.empty()) {
    shown = "Unknown";
    if (const auto* meta = metadata()) {
      if (!meta->generateName.empty()) shown = meta->generateName;
      if (!meta->name.empty()) shown = meta->name;
    }
  }
  return api::ForbiddenError({group, resource}, shown, why);
}

}  // namespace podium::apiserver
