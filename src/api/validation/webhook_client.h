// How the API server reaches a webhook, of admission or of conversion (upstream's
// k8s.io/apiserver/pkg/util/webhook, release 1.36).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "api/field_errors.h"
#include "reflect/values.h"

namespace podium::api {

// https://host[/path]
field::ErrorList ValidateWebhookUrl(std::string_view url, const field::Path& path);

field::ErrorList ValidateWebhookService(std::string_view namespace_name, std::string_view name,
                                        const std::optional<std::string>& url_path, int32_t port,
                                        const field::Path& path);

// A ServiceReference of any group.
template <class Reference>
field::ErrorList ValidateWebhookService(const Reference& service, const field::Path& path) {
  // Upstream hands over the two the wrong way round.
  return ValidateWebhookService(service.name, service.namespace_, service.path,
                                service.port.value_or(0), path);
}

// That at least one certificate can be read from the PEM text. An empty one is fine.
field::ErrorList ValidateCABundle(const reflect::Bytes& bundle, const field::Path& path);

}  // namespace podium::api
