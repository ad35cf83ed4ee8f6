#include "apiserver/custom_resources/conversion_webhook.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/scheme.h"
#include "api/status.h"
#include "api/types/meta_v1.h"
#include "api/validation/object_meta.h"
#include "api/validation/validation.h"
#include "apiserver/admission/webhook_target.h"
#include "apiserver/change.h"
#include "http/client.h"
#include "pki/random.h"
#include "reflect/go_text.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::apiextensions::v1::ConversionReview;
using api::apiextensions::v1::CustomResourceDefinition;
using api::apiextensions::v1::WebhookConversion;
using reflect::JsonValue;

constexpr size_t kMaxAnswer = size_t{64} << 20;
constexpr int kMostAtOnce = 32;

Error Bad(std::string why) { return {Code::kInvalidArgument, std::move(why)}; }

std::string TextOf(const JsonValue* object, std::string_view member) {
  const JsonValue* value = object != nullptr ? object->Find(member) : nullptr;
  return value != nullptr && value->is_string() ? value->string() : std::string();
}

// "example.com/v1, Kind=CronTab"
std::string KindText(const JsonValue& object) {
  return TextOf(&object, "apiVersion") + ", Kind=" + TextOf(&object, "kind");
}

Result<void> CheckSame(const JsonValue& in, const JsonValue& out) {
  const auto same = [](std::string_view what, const JsonValue* a, const JsonValue* b,
                       std::string_view member) -> Result<void> {
    if (TextOf(a, member) == TextOf(b, member)) return {};
    return Bad(
        fmt::format("must have the same {}: {} != {}", what, TextOf(a, member), TextOf(b, member)));
  };
  TRY_VOID(same("kind", &in, &out, "kind"));
  const JsonValue* before = in.Find("metadata");
  const JsonValue* after = out.Find("metadata");
  TRY_VOID(same("name", before, after, "name"));
  TRY_VOID(same("namespace", before, after, "namespace"));
  return same("UID", before, after, "uid");
}

// Labels or annotations of the answer, for the metadata that stays as it was.
Result<void> TakeTexts(std::string_view member, const JsonValue& from, JsonValue* metadata) {
  const JsonValue* given = from.Find(member);
  if (given == nullptr || given->is_null()) {
    metadata->Erase(member);
    return {};
  }
  if (!given->is_object()) {
    return Bad(fmt::format("invalid metadata.{} in converted object", member));
  }
  reflect::Map<std::string> texts;
  for (const JsonValue::Member& each : given->object()) {
    if (!each.value.is_string()) {
      return Bad(
          fmt::format("metadata.{}[{}] must be a string in converted object", member, each.key));
    }
    texts[each.key] = each.value.string();
  }
  const JsonValue* had = metadata->Find(member);
  if (had == nullptr || !reflect::Equivalent(*had, *given)) {
    const api::field::Path path("metadata");
    const api::field::ErrorList errors =
        member == "labels" ? api::ValidateLabels(texts, path.Child("labels"))
                           : api::ValidateAnnotations(texts, path.Child("annotation"));
    if (!errors.empty()) return Bad(errors.AggregateText());
  }
  metadata->Set(member, *given);
  return {};
}

Result<void> RestoreMetadata(const JsonValue& in, JsonValue* out) {
  const JsonValue* answered = out->Find("metadata");
  if (answered == nullptr) return Bad("missing metadata in converted object");
  if (!answered->is_object()) return Bad("invalid metadata in converted object");
  const JsonValue* before = in.Find("metadata");
  JsonValue metadata =
      before != nullptr && before->is_object() ? *before : JsonValue::Of(JsonValue::Object());
  TRY_VOID(TakeTexts("labels", *answered, &metadata));
  TRY_VOID(TakeTexts("annotations", *answered, &metadata));
  out->Set("metadata", std::move(metadata));
  return {};
}

class ByWebhook final : public CustomConversion {
 public:
  ByWebhook(const Objects& objects, std::function<uint64_t()> random, std::chrono::seconds most,
            const WebhookConversion& webhook)
      : objects_(objects), random_(std::move(random)), most_(most) {
    for (const std::string& version : webhook.conversionReviewVersions) {
      if (version != "v1" && version != "v1beta1") continue;
      review_version_ = "apiextensions.k8s.io/" + version;
      break;
    }
    if (!webhook.clientConfig) return;
    url_ = webhook.clientConfig->url;
    ca_bundle_ = webhook.clientConfig->caBundle.data;
    if (!webhook.clientConfig->service) return;
    const auto& service = *webhook.clientConfig->service;
    service_ = WebhookService{.name_space = service.namespace_,
                              .name = service.name,
                              .path = service.path,
                              .port = service.port.value_or(kWebhookPort)};
  }

  bool may_wait() const override { return true; }

  Result<std::vector<JsonValue>> Convert(std::vector<JsonValue> objects,
                                         const std::string& api_version) const override {
    std::vector<size_t> asked;
    for (size_t i = 0; i < objects.size(); ++i) {
      if (TextOf(&objects[i], "apiVersion") != api_version) asked.push_back(i);
    }
    if (asked.empty()) return objects;
    const std::string of = KindText(objects[asked.front()]);
    if (running_.fetch_add(1) >= kMostAtOnce) {
      running_.fetch_sub(1);
      return api::TooManyRequestsError(
          "the conversion webhook for " + of + " is asked too often at a time", 1);
    }
    auto answered = Ask(objects, asked, api_version);
    running_.fetch_sub(1);
    if (!answered.ok()) {
      return UnknownError("conversion webhook for " + of +
                          " failed: " + answered.error().message());
    }
    if (answered->size() != asked.size()) {
      return UnknownError(fmt::format("conversion webhook for {} returned {} objects, expected {}",
                                      of, answered->size(), asked.size()));
    }
    for (size_t i = 0; i < asked.size(); ++i) {
      JsonValue& in = objects[asked[i]];
      JsonValue& out = (*answered)[i];
      if (const auto taken = Take(in, api_version, i, &out); !taken.ok()) {
        return UnknownError("conversion webhook for " + of + " returned " +
                            taken.error().message());
      }
      in = std::move(out);
    }
    return objects;
  }

 private:
  static Result<void> Take(const JsonValue& in, const std::string& api_version, size_t index,
                           JsonValue* out) {
    const std::string object = fmt::format("invalid object at index {}: ", index);
    if (!out->is_object()) return Bad(object + "it is no object");
    if (TextOf(out, "apiVersion") != api_version) {
      return Bad(fmt::format("{}invalid groupVersion (expected {}, received {})", object,
                             api_version, TextOf(out, "apiVersion")));
    }
    if (TextOf(out, "kind") != TextOf(&in, "kind")) {
      return Bad(fmt::format("{}invalid kind (expected {}, received {})", object,
                             TextOf(&in, "kind"), TextOf(out, "kind")));
    }
    if (const auto same = CheckSame(in, *out); !same.ok()) {
      return Bad("invalid object: " + std::string(same.error().message()));
    }
    if (const auto restored = RestoreMetadata(in, out); !restored.ok()) {
      return Bad("invalid metadata: " + std::string(restored.error().message()));
    }
    return {};
  }

  Result<std::vector<JsonValue>> Ask(const std::vector<JsonValue>& objects,
                                     const std::vector<size_t>& asked,
                                     const std::string& api_version) const {
    if (review_version_.empty()) return Bad("no supported conversion review versions");
    ConversionReview review;
    review.kind = "ConversionReview";
    review.apiVersion = review_version_;
    auto& request = review.request.ensure();
    request.uid = pki::RandomUuid();
    request.desiredAPIVersion = api_version;
    for (const size_t i : asked) request.objects.push_back({reflect::ToText(objects[i])});
    TRY(const std::string body, reflect::ToJson(review));
    TRY(const std::string answer, Post(body));
    return Read(answer, request.uid);
  }

  Result<std::string> Post(const std::string& body) const {
    WebhookTarget target{.url = url_.value_or(""), .shown = url_.value_or(""), .host = {}};
    if (service_) {
      TRY(target, TargetOfService(objects_, *service_, random_()));
    }
    const std::string timeout =
        fmt::format("{}timeout={}s", target.url.contains('?') ? "&" : "?", most_.count());
    const auto failed = [&](std::string_view why) {
      return Error(Code::kUnavailable,
                   fmt::format("Post {}: {}", reflect::GoQuoted(target.shown + timeout), why));
    };
    const auto client = Client();
    if (!client.ok()) return failed(client.error().message());
    http::Request post{.method = "POST", .url = target.url + timeout};
    post.headers.Add("Content-Type", "application/json");
    post.headers.Add("Accept", "application/json, */*");
    if (!target.host.empty()) post.headers.Add("Host", target.host);
    post.body = body;
    post.timeouts = http::Timeouts{.connect = most_, .idle = most_, .total = most_};
    auto response = (*client)->Send(post);
    if (!response.ok()) return failed(response.error().message());
    if (response->status() / 100 != 2) {
      return failed(fmt::format("the server answered with status {}", response->status()));
    }
    auto answer = response->ReadAll(kMaxAnswer);
    if (!answer.ok()) return failed(answer.error().message());
    return answer;
  }

  Result<std::vector<JsonValue>> Read(const std::string& answer, const std::string& uid) const {
    auto review = reflect::FromJson<ConversionReview>(answer, {.strict = false});
    // What it is instead is the webhook's, and not for the client.
    if (!review.ok()) return Bad("the answer could not be read as a ConversionReview");
    // Webhooks of the old version never had to repeat what they were asked.
    const bool checked = review_version_.ends_with("/v1");
    if (checked && (review->kind != "ConversionReview" || review->apiVersion != review_version_)) {
      return Bad("expected webhook response of " + review_version_ + ", Kind=ConversionReview");
    }
    if (!review->response) return Bad("no response provided");
    const auto& response = *review->response;
    if (checked && response.uid != uid) {
      return Bad("expected response.uid=" + reflect::GoQuoted(uid));
    }
    if (response.result.status != "Success") {
      if (!response.result.message.empty()) return Bad(response.result.message);
      return Bad("response.result.status was '" + response.result.status + "', not 'Success'");
    }
    std::vector<JsonValue> converted;
    for (const reflect::RawJson& each : response.convertedObjects) {
      TRY(JsonValue object, reflect::ParseJson(each.text));
      converted.push_back(std::move(object));
    }
    return converted;
  }

  // Keeps connections; made at the first question.
  Result<const http::Client*> Client() const {
    const std::lock_guard lock(mutex_);
    if (!client_) {
      http::ClientOptions options;
      options.tls.extra_roots = ca_bundle_;
      options.tls.system_roots = ca_bundle_.empty();
      if (service_) {
        options.tls.server_name = WebhookServiceName(service_->name_space, service_->name);
      }
      options.user_agent = "kube-apiserver";
      options.refuse_link_local = true;
      TRY(client_, http::Client::Create(std::move(options)));
    }
    return &*client_;
  }

  const Objects& objects_;
  const std::function<uint64_t()> random_;
  const std::chrono::seconds most_;
  std::string review_version_;  // "" when it speaks none that is known
  std::optional<std::string> url_;
  std::optional<WebhookService> service_;
  std::string ca_bundle_;
  mutable std::atomic<int> running_ = 0;
  mutable std::mutex mutex_;
  mutable std::optional<http::Client> client_;  // under mutex_
};

}  // namespace

std::shared_ptr<const CustomConversion> WebhookConversions::For(
    const CustomResourceDefinition& definition) const {
  const auto& conversion = definition.spec.conversion;
  if (!conversion || !conversion->webhook) return NoConversion();
  return std::make_shared<const ByWebhook>(objects_, random_, most_, *conversion->webhook);
}

}  // namespace podium::apiserver
