// Conversion between the versions of a custom resource: None, which changes apiVersion alone, and
// Webhook (upstream's k8s.io/apiextensions-apiserver/pkg/apiserver/conversion, release 1.36).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "api/types/apiextensions_v1.h"
#include "base/result.h"
#include "reflect/json_value.h"

namespace podium::apiserver {

class CustomConversion {
 public:
  virtual ~CustomConversion() = default;
  // Objects of other versions, in this one, in the same order. Errors are answers: 500 with what
  // the webhook has to say.
  virtual Result<std::vector<reflect::JsonValue>> Convert(std::vector<reflect::JsonValue> objects,
                                                          const std::string& api_version) const = 0;
  virtual bool may_wait() const { return false; }
};

// Makes conversions that ask webhooks.
class ConversionWebhooks {
 public:
  virtual ~ConversionWebhooks() = default;
  virtual std::shared_ptr<const CustomConversion> For(
      const api::apiextensions::v1::CustomResourceDefinition& definition) const = 0;
};

std::shared_ptr<const CustomConversion> NoConversion();

}  // namespace podium::apiserver
