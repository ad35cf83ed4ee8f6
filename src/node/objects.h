// Where ConfigMaps and Secrets come from: given with a play, later watched at the API server.
#pragma once

#include <memory>
#include <string_view>

#include "api/types/core_v1.h"
#include "base/result.h"

namespace podium::node {

class ObjectSource {
 public:
  virtual ~ObjectSource() = default;
  // kNotFound in upstream's words (`configmap "c" not found`); other errors mean nobody knows. Any
  // thread.
  virtual Result<std::shared_ptr<const api::core::v1::ConfigMap>> GetConfigMap(
      std::string_view name_space, std::string_view name) const = 0;
  virtual Result<std::shared_ptr<const api::core::v1::Secret>> GetSecret(
      std::string_view name_space, std::string_view name) const = 0;
};

}  // namespace podium::node
