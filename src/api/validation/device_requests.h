// How other parts of a ResourceClaim name its requests. Private to the rules of resource.k8s.io.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>

#include "api/field_errors.h"
#include "api/types/resource_v1.h"

namespace podium::api {

// A reference is "request", or "request/alternative". In device_claims.cpp.
class DeviceRequestNames {
 public:
  // Names are those of `claim`, which must outlive this.
  explicit DeviceRequestNames(const resource::v1::DeviceClaim& claim);

  void CheckReference(std::string_view reference, const field::Path& path,
                      field::ErrorList* errors) const;
  // As many as there may be requests, no two the same.
  void CheckSet(const reflect::List<std::string>& references, const field::Path& path,
                field::ErrorList* errors) const;

 private:
  using Alternatives = std::set<std::string_view>;
  std::map<std::string_view, Alternatives> requests_;
};

}  // namespace podium::api
