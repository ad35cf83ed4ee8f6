// Conversion by a webhook: ConversionReview of apiextensions.k8s.io/v1, or v1beta1 for a webhook
// that says it first (upstream's webhook_converter.go of
// k8s.io/apiextensions-apiserver/pkg/apiserver/conversion, release 1.36).
//
// A webhook may change labels and annotations, and else nothing of the metadata: kind, name,
// namespace and uid have to be as they were, and what it says of the rest is not taken. It is asked
// for thirty seconds at most, and by so many requests at a time that one that hangs does not keep
// the server from serving others (429 beyond that).
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "apiserver/custom_resources/custom_conversion.h"
#include "apiserver/objects.h"

namespace podium::apiserver {

class WebhookConversions final : public ConversionWebhooks {
 public:
  // Objects outlive it and what it makes. `most`: how long a question may take.
  WebhookConversions(const Objects& objects, std::function<uint64_t()> random,
                     std::chrono::seconds most = std::chrono::seconds(30))
      : objects_(objects), random_(std::move(random)), most_(most) {}

  std::shared_ptr<const CustomConversion> For(
      const api::apiextensions::v1::CustomResourceDefinition& definition) const override;

 private:
  const Objects& objects_;
  const std::function<uint64_t()> random_;
  const std::chrono::seconds most_;
};

}  // namespace podium::apiserver
