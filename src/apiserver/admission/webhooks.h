// Admission webhooks: which are to be asked about a request, and the asking (upstream's
// k8s.io/apiserver/pkg/admission/plugin/webhook, release 1.36). Internal to the folder: the plugins
// MutatingAdmissionWebhook and ValidatingAdmissionWebhook are the users.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/labels.h"
#include "api/types/admission_v1.h"
#include "api/types/admissionregistration_v1.h"
#include "apiserver/admission/admission.h"
#include "apiserver/authorization/store_follower.h"
#include "base/result.h"
#include "http/client.h"

namespace podium::apiserver {

struct CustomSchema;  // custom_resources/custom_version.h

// One webhook of a configuration, mutating or validating. Immutable but for its client.
struct Webhook {
  std::string configuration;
  size_t index = 0;  // in the configuration
  std::string name;
  api::admissionregistration::v1::WebhookClientConfig where;
  reflect::List<api::admissionregistration::v1::RuleWithOperations> rules;
  api::labels::Selector namespace_selector;
  api::labels::Selector object_selector;
  bool ignore_failures = false;
  bool equivalent = true;    // matchPolicy
  bool side_effects = true;  // some that a dry run must not have
  bool reads_v1 = true;      // of admissionReviewVersions
  bool again_if_needed = false;
  int32_t timeout_seconds = 10;

  // Keeps connections; made at the first call.
  Result<const http::Client*> Client() const;

 private:
  mutable std::mutex mutex_;
  mutable std::optional<http::Client> client_;
};
using WebhookPtr = std::shared_ptr<const Webhook>;

// A webhook that is to be asked, and as what the request is shown to it.
struct Invocation {
  WebhookPtr webhook;
  std::string_view group;
  std::string_view version;
  std::string_view kind_group;
  std::string_view kind_version;
  const reflect::Type* type;  // of the object as it is shown
  // The version that a custom resource is shown in, if it is another one than the request's.
  const CustomSchema* custom = nullptr;

  // Tells one webhook of the server from another.
  std::string Id() const {
    return webhook->configuration + "/" + webhook->name + "/" + std::to_string(webhook->index);
  }
};

// All webhooks of one kind, kept up to date with the store. Threads: any.
class WebhookSet {
 public:
  enum class Kind { kMutating, kValidating };
  WebhookSet(const Objects& objects, Kind kind);
  ~WebhookSet();

  // By configuration, then as they stand in it. Quick when there are none.
  Result<std::vector<Invocation>> For(const AdmissionRequest& request) const;

 private:
  class Index;

  const Objects& objects_;
  const std::unique_ptr<Index> index_;
  const std::unique_ptr<StoreFollower> follower_;
};

// Whether the rules of a webhook name this request: of the resource in this group and version.
bool MatchesRules(const Webhook& webhook, const AdmissionRequest& request, std::string_view group,
                  std::string_view version);

// Asks. Errors are the call's: `failed calling webhook "x": …`; a refusal is an answer.
//
// Waits for the webhook, for its timeout at most. Nothing of an answer that is no review comes into
// a message, redirects are not followed, and link-local addresses are not asked (CVE-2020-8555,
// CVE-2022-3172).
Result<api::admission::v1::AdmissionResponse> CallWebhook(const Objects& objects, uint64_t random,
                                                          const Invocation& invocation,
                                                          const AdmissionRequest& request,
                                                          bool mutating);

// An object of the request, of this type, as the webhook is to see it.
Result<std::string> JsonFor(const Invocation& invocation, const AdmissionRequest& request,
                            const reflect::Type& type, const void* object);

// The object as `to` has it, with kind and apiVersion, for somebody else to read; "" for none.
Result<std::string> JsonAs(const reflect::Type& from, const void* object, const reflect::Type& to,
                           std::string_view kind, std::string_view api_version);

}  // namespace podium::apiserver
