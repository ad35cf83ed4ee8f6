#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "api/conversion/conversion.h"
#include "api/status.h"
#include "apiserver/admission/webhook_target.h"
#include "apiserver/admission/webhooks.h"
#include "apiserver/custom_resources/custom_objects.h"
#include "pki/random.h"
#include "reflect/go_text.h"
#include "reflect/json.h"
#include "reflect/json_value.h"

namespace podium::apiserver {
namespace {

using api::admission::v1::AdmissionResponse;
using api::admission::v1::AdmissionReview;

// Of an answer.
constexpr size_t kMaxAnswer = size_t{3} << 20;

Error Failed(const Webhook& webhook, std::string_view why) {
  return {Code::kUnavailable,
          fmt::format("failed calling webhook {}: {}", reflect::GoQuoted(webhook.name), why)};
}

Result<WebhookTarget> TargetOf(const Objects& objects, const Webhook& webhook, uint64_t random) {
  if (webhook.where.service) {
    const auto& service = *webhook.where.service;
    return TargetOfService(objects,
                           {.name_space = service.namespace_,
                            .name = service.name,
                            .path = service.path,
                            .port = service.port.value_or(kWebhookPort)},
                           random);
  }
  const std::string url = webhook.where.url.value_or("");
  return WebhookTarget{.url = url, .shown = url, .host = {}};
}

std::string ApiVersion(std::string_view group, std::string_view version) {
  return group.empty() ? std::string(version) : fmt::format("{}/{}", group, version);
}

Result<std::string> ReviewOf(const Invocation& shown, const AdmissionRequest& request,
                             const std::string& uid) {
  AdmissionReview review;
  review.kind = "AdmissionReview";
  review.apiVersion = "admission.k8s.io/v1";
  auto& out = review.request.emplace();
  out.uid = uid;
  out.kind = {std::string(shown.kind_group), std::string(shown.kind_version),
              std::string(request.kind)};
  out.resource = {std::string(shown.group), std::string(shown.version),
                  std::string(request.resource)};
  out.subResource = request.subresource;
  out.requestKind.emplace() = {std::string(request.kind_group), std::string(request.kind_version),
                               std::string(request.kind)};
  out.requestResource.emplace() = {std::string(request.group), std::string(request.version),
                                   std::string(request.resource)};
  out.requestSubResource = request.subresource;
  out.name = request.name;
  out.namespace_ = request.namespace_;
  out.operation = NameOf(request.operation);
  out.userInfo.username = request.user->name;
  out.userInfo.uid = request.user->uid;
  out.userInfo.groups = request.user->groups;
  for (const auto& [key, values] : request.user->extra) out.userInfo.extra[key].items = values;
  out.dryRun = request.dry_run;
  if (request.object != nullptr) {
    TRY(out.object.text, JsonFor(shown, request, *request.type, request.object));
  }
  if (request.old_object != nullptr) {
    TRY(out.oldObject.text, JsonFor(shown, request, *request.old_type, request.old_object));
  }
  if (request.options != nullptr) {
    TRY(out.options.text, JsonAs(*request.options_type, request.options, *request.options_type,
                                 request.options_type->name, "meta.k8s.io/v1"));
  }
  return reflect::ToJson(review);
}

// The answer as it must be; kInvalidArgument in upstream's words.
Result<AdmissionResponse> CheckAnswer(const std::string& body, const std::string& uid,
                                      bool mutating) {
  const auto bad = [](std::string why) { return Error(Code::kInvalidArgument, std::move(why)); };
  auto review = reflect::FromJson<AdmissionReview>(body, {.strict = false});
  // What it is instead is the webhook's, and not for the client.
  if (!review.ok()) return bad("the answer could not be read as an AdmissionReview");
  if (review->kind != "AdmissionReview" || review->apiVersion != "admission.k8s.io/v1") {
    return bad("expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview");
  }
  if (!review->response) return bad("webhook response was absent");
  AdmissionResponse& response = *review->response;
  if (response.uid != uid)
    return bad(fmt::format("expected response.uid={}", reflect::GoQuoted(uid)));
  if (!mutating) {
    if (!response.patch.empty()) return bad("validating webhook may not return response.patch");
    if (response.patchType) return bad("validating webhook may not return response.patchType");
  } else if (!response.patch.empty() && !response.patchType) {
    return bad("webhook returned response.patch but not response.patchType");
  } else if (response.patch.empty() && response.patchType) {
    return bad("webhook returned response.patchType but not response.patch");
  } else if (response.patchType && *response.patchType != "JSONPatch") {
    return bad("webhook returned invalid response.patchType");
  }
  return std::move(response);
}

}  // namespace

Result<std::string> JsonAs(const reflect::Type& from, const void* object, const reflect::Type& to,
                           std::string_view kind, std::string_view api_version) {
  std::string json;
  if (&from == &to) {
    TRY_VOID(reflect::EncodeJson(from, object, &json));
  } else {
    TRY(const reflect::AnyObject converted, api::ConvertObject(from, object, to));
    TRY_VOID(reflect::EncodeJson(to, converted.get(), &json));
  }
  TRY(reflect::JsonValue value, reflect::ParseJson(json));
  if (!value.is_object()) return Error(Code::kInternal, "an object is no JSON object");
  reflect::JsonValue::Object& members = value.object();
  std::erase_if(members,
                [](const auto& each) { return each.key == "kind" || each.key == "apiVersion"; });
  members.insert(members.begin(),
                 {"apiVersion", reflect::JsonValue::String(std::string(api_version))});
  members.insert(members.begin(), {"kind", reflect::JsonValue::String(std::string(kind))});
  return reflect::ToText(value);
}

Result<std::string> JsonFor(const Invocation& invocation, const AdmissionRequest& request,
                            const reflect::Type& type, const void* object) {
  if (invocation.custom != nullptr) {
    TRY(const reflect::JsonValue tree, TreeAs(*request.custom, type, object, *invocation.custom));
    return reflect::ToText(tree);
  }
  const bool same = &type == request.type;
  return JsonAs(type, object, same ? *invocation.type : type, request.kind,
                ApiVersion(invocation.kind_group, invocation.kind_version));
}

Result<const http::Client*> Webhook::Client() const {
  const std::lock_guard lock(mutex_);
  if (!client_) {
    http::ClientOptions options;
    options.tls.extra_roots = where.caBundle.data;
    options.tls.system_roots = where.caBundle.empty();
    if (where.service)
      options.tls.server_name = WebhookServiceName(where.service->namespace_, where.service->name);
    options.user_agent = "kube-apiserver-admission";
    options.refuse_link_local = true;
    TRY(client_, http::Client::Create(std::move(options)));
  }
  return &*client_;
}

Result<AdmissionResponse> CallWebhook(const Objects& objects, uint64_t random,
                                      const Invocation& invocation, const AdmissionRequest& request,
                                      bool mutating) {
  const Webhook& webhook = *invocation.webhook;
  if (!webhook.reads_v1) {
    return Failed(webhook, "webhook does not accept v1 AdmissionReview requests");
  }
  const std::string uid = pki::RandomUuid();
  TRY(std::string body, ReviewOf(invocation, request, uid));
  const auto target = TargetOf(objects, webhook, random);
  if (!target.ok()) {
    return Failed(webhook, "failed to call webhook: " + target.error().message());
  }
  const std::string timeout =
      fmt::format("{}timeout={}s", target->url.contains('?') ? "&" : "?", webhook.timeout_seconds);
  const auto failed = [&](std::string_view why) {
    return Failed(webhook, fmt::format("failed to call webhook: Post {}: {}",
                                       reflect::GoQuoted(target->shown + timeout), why));
  };
  const auto client = webhook.Client();
  if (!client.ok()) return failed(client.error().message());
  http::Request post{.method = "POST", .url = target->url + timeout};
  post.headers.Add("Content-Type", "application/json");
  post.headers.Add("Accept", "application/json, */*");
  if (!target->host.empty()) post.headers.Add("Host", target->host);
  post.body = std::move(body);
  // As soon as the request's own time is over, nobody waits for it.
  const auto left = std::max(std::chrono::ceil<std::chrono::milliseconds>(
                                 request.deadline - std::chrono::steady_clock::now()),
                             std::chrono::milliseconds(1));
  const auto most =
      std::min(std::chrono::milliseconds(std::chrono::seconds(webhook.timeout_seconds)), left);
  post.timeouts = http::Timeouts{.connect = most, .idle = most, .total = most};
  auto response = (*client)->Send(post);
  if (!response.ok()) return failed(response.error().message());
  if (response->status() / 100 != 2) {
    return failed(fmt::format("the server answered with status {}", response->status()));
  }
  const auto answer = response->ReadAll(kMaxAnswer);
  if (!answer.ok()) return failed(answer.error().message());
  auto checked = CheckAnswer(*answer, uid, mutating);
  if (!checked.ok()) {
    return Failed(webhook, "received invalid webhook response: " + checked.error().message());
  }
  return checked;
}

}  // namespace podium::apiserver
