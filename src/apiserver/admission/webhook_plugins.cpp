// MutatingAdmissionWebhook and ValidatingAdmissionWebhook.
#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "api/conversion/conversion.h"
#include "api/defaults.h"
#include "api/status.h"
#include "api/time.h"
#include "apiserver/admission/chain.h"
#include "apiserver/admission/plugins.h"
#include "apiserver/admission/webhooks.h"
#include "apiserver/custom_resources/custom_objects.h"
#include "reflect/copy.h"
#include "reflect/go_text.h"
#include "reflect/json.h"
#include "reflect/patch/json_patch.h"

namespace podium::apiserver {
namespace {

using api::admission::v1::AdmissionResponse;
using api::meta::v1::Status;
using Answer = Result<AdmissionResponse>;

// What the client gets of a refusal: the webhook's own Status, if it has one.
Error Denied(const Webhook& webhook, const AdmissionResponse& response) {
  Status status = response.status ? *response.status : Status();
  const std::string by =
      "admission webhook " + reflect::GoQuoted(webhook.name) + " denied the request";
  constexpr int32_t kBadRequest = 400;
  if (status.code < kBadRequest) status.code = kBadRequest;
  if (status.status.empty() || status.status == "Success") status.status = "Failure";
  if (!status.message.empty()) {
    status.message = fmt::format("{}: {}", by, status.message);
  } else if (!status.reason.empty()) {
    status.message = fmt::format("{}: {}", by, status.reason);
  } else {
    status.message = by + " without explanation";
  }
  return api::StatusError(std::move(status));
}

// A dry run must not cause what a webhook may do elsewhere.
Result<void> CheckDryRun(const Webhook& webhook, const AdmissionRequest& request) {
  if (!request.dry_run || !webhook.side_effects) return {};
  return api::BadRequestError("admission webhook " + reflect::GoQuoted(webhook.name) +
                              " does not support dry run");
}

// Hands on what the webhook has to say beside its answer.
void Report(const Webhook& webhook, const AdmissionResponse& response,
            const AdmissionRequest& request) {
  for (const std::string& warning : response.warnings) request.Warn(warning);
  for (const auto& [key, value] : response.auditAnnotations) {
    request.Annotate(webhook.name + "/" + key, value);
  }
}

// What becomes of a call that failed: nothing, or the end of the request.
Result<void> Failure(const Webhook& webhook, std::string_view what, size_t round, size_t index,
                     const Error& error, const AdmissionRequest& request) {
  if (!webhook.ignore_failures) return api::InternalError(error.message());
  request.Annotate(
      fmt::format("failed-open.{}.webhook.admission.k8s.io/round_{}_index_{}", what, round, index),
      webhook.name);
  return {};
}

// A JSON string's text, for annotations.
std::string Quoted(std::string_view text) {
  std::string out;
  reflect::AppendJsonString(text, &out);
  return out;
}

// Makes *request.object the other one, of the same type.
void Replace(const AdmissionRequest& request, const void* with) {
  for (const reflect::Field& field : request.type->fields) {
    reflect::ResetField(field, field.at(request.object));
  }
  reflect::CopyObject(*request.type, with, request.object);
}

// Kind and apiVersion are of the document, not of what a webhook may change.
void KeepHeader(const AdmissionRequest& request, void* changed) {
  for (const std::string_view name : {"kind", "apiVersion"}) {
    const reflect::Field* field = request.type->Find(name);
    if (field == nullptr || field->shape != reflect::Shape::kScalar) continue;
    *static_cast<std::string*>(field->at(changed)) =
        *static_cast<const std::string*>(field->at(request.object));
  }
}

// What the webhook made of a built-in object, in the request's version.
Result<reflect::AnyObject> TakeShown(const Invocation& invocation, const AdmissionRequest& request,
                                     const reflect::JsonValue& document, api::Time now) {
  reflect::AnyObject shown(*invocation.type);
  const auto decoded = reflect::DecodeJsonInto(reflect::ToText(document), *invocation.type,
                                               shown.get(), {.strict = false});
  if (!decoded.ok()) return api::InternalError(decoded.error().message());
  api::SetDefaults(*invocation.type, shown.get(), {.now = now});
  if (invocation.type == request.type) return shown;
  return api::ConvertObject(*invocation.type, shown.get(), *request.type);
}

// Whether the patch changed the object.
Result<bool> Apply(const Invocation& invocation, const AdmissionResponse& response,
                   const AdmissionRequest& request, api::Time now) {
  if (response.patch.empty()) return false;
  const auto internal = [](const Error& error) { return api::InternalError(error.message()); };
  const auto patch = reflect::JsonPatch::Parse(response.patch.data);
  if (!patch.ok()) return internal(patch.error());
  if (patch->size() == 0) return false;
  if (request.object == nullptr) {
    return api::InternalError(fmt::format(
        "admission webhook {} attempted to modify the object, which is not supported for this "
        "operation",
        reflect::GoQuoted(invocation.webhook->name)));
  }
  TRY(const std::string before, JsonFor(invocation, request, *request.type, request.object));
  TRY(reflect::JsonValue document, reflect::ParseJson(before));
  if (const auto applied = patch->Apply(&document); !applied.ok()) return internal(applied.error());
  reflect::AnyObject shown(*invocation.type);
  if (invocation.custom != nullptr) {
    auto taken = TakeFrom(*request.custom, *invocation.custom, std::move(document));
    if (!taken.ok()) return internal(taken.error());
    shown = *std::move(taken);
  } else {
    TRY(shown, TakeShown(invocation, request, document, now));
  }
  KeepHeader(request, shown.get());
  if (reflect::EqualObjects(*request.type, shown.get(), request.object)) return false;
  Replace(request, shown.get());
  return true;
}

class MutatingWebhooks final : public AdmissionPlugin {
 public:
  explicit MutatingWebhooks(const AdmissionDependencies& dependencies)
      : dependencies_(dependencies), webhooks_(dependencies.objects, WebhookSet::Kind::kMutating) {}

  std::string_view name() const override { return "MutatingAdmissionWebhook"; }
  bool Handles(Operation) const override { return true; }
  bool MayBlock(const AdmissionRequest& request) const override {
    const auto invocations = webhooks_.For(request);
    return !invocations.ok() || !invocations->empty();
  }

  Result<void> Admit(AdmissionRequest& request) override {
    TRY(const auto invocations, webhooks_.For(request));
    if (invocations.empty()) return {};
    TRY(std::string text, TextOf(request));
    Reinvocation* const again = request.reinvocation;
    const bool second = again != nullptr && again->again();
    if (second && again->left != text) again->ChangedByPlugins();
    for (size_t i = 0; i < invocations.size(); ++i) {
      const std::string id = invocations[i].Id();
      if (second && !again->ShouldCallAgain(id)) continue;
      TRY(const bool changed, Call(invocations[i], i, second ? 1 : 0, request));
      if (again == nullptr) continue;
      if (changed) again->Changed();
      if (invocations[i].webhook->again_if_needed) again->Called(id);
    }
    if (again != nullptr) {
      TRY(again->left, TextOf(request));
    }
    return {};
  }

 private:
  static Result<std::string> TextOf(const AdmissionRequest& request) {
    std::string text;
    if (request.object == nullptr) return text;
    TRY_VOID(reflect::EncodeJson(*request.type, request.object, &text));
    return text;
  }

  // Whether it changed the object.
  Result<bool> Call(const Invocation& invocation, size_t index, size_t round,
                    AdmissionRequest& request) const {
    const Webhook& webhook = *invocation.webhook;
    TRY_VOID(CheckDryRun(webhook, request));
    const Answer answer =
        CallWebhook(dependencies_.objects, dependencies_.random(), invocation, request, true);
    if (!answer.ok()) {
      TRY_VOID(Failure(webhook, "mutation", round, index, answer.error(), request));
      return false;
    }
    Report(webhook, *answer, request);
    if (!answer->allowed) return Denied(webhook, *answer);
    const api::Time now = api::Time::FromUnix(dependencies_.clock.Now() / kNanosPerSecond);
    TRY(const bool changed, Apply(invocation, *answer, request, now));
    request.Annotate(
        fmt::format("mutation.webhook.admission.k8s.io/round_{}_index_{}", round, index),
        fmt::format(R"({{"configuration":{},"webhook":{},"mutated":{}}})",
                    Quoted(webhook.configuration), Quoted(webhook.name), changed));
    return changed;
  }

  const AdmissionDependencies dependencies_;
  const WebhookSet webhooks_;
};

class ValidatingWebhooks final : public AdmissionPlugin {
 public:
  explicit ValidatingWebhooks(const AdmissionDependencies& dependencies)
      : dependencies_(dependencies),
        webhooks_(dependencies.objects, WebhookSet::Kind::kValidating) {}

  std::string_view name() const override { return "ValidatingAdmissionWebhook"; }
  bool Handles(Operation) const override { return true; }
  bool MayBlock(const AdmissionRequest& request) const override {
    const auto invocations = webhooks_.For(request);
    return !invocations.ok() || !invocations->empty();
  }

  Result<void> Validate(const AdmissionRequest& request) override {
    TRY(const auto invocations, webhooks_.For(request));
    for (const Invocation& each : invocations) {
      TRY_VOID(CheckDryRun(*each.webhook, request));
    }
    const std::vector<Answer> answers = AskAll(invocations, request);
    // What all had to say is passed on; of several refusals the first one's.
    std::optional<Error> refusal;
    for (size_t i = 0; i < answers.size(); ++i) {
      const Webhook& webhook = *invocations[i].webhook;
      if (!answers[i].ok()) {
        auto failure = Failure(webhook, "validating", 0, i, answers[i].error(), request);
        if (!failure.ok() && !refusal) refusal = std::move(failure).error();
        continue;
      }
      Report(webhook, *answers[i], request);
      if (!answers[i]->allowed && !refusal) refusal = Denied(webhook, *answers[i]);
    }
    if (refusal) return *std::move(refusal);
    return {};
  }

 private:
  // At the same time: they wait for as long as the slowest one.
  std::vector<Answer> AskAll(const std::vector<Invocation>& invocations,
                             const AdmissionRequest& request) const {
    std::vector<Answer> answers(invocations.size(), Answer(AdmissionResponse()));
    const auto ask = [&](size_t i) {
      answers[i] = CallWebhook(dependencies_.objects, dependencies_.random(), invocations[i],
                               request, false);
    };
    std::vector<std::jthread> threads;
    for (size_t i = 1; i < invocations.size(); ++i) threads.emplace_back(ask, i);
    if (!invocations.empty()) ask(0);
    threads.clear();
    return answers;
  }

  const AdmissionDependencies dependencies_;
  const WebhookSet webhooks_;
};

}  // namespace

std::unique_ptr<AdmissionPlugin> NewMutatingAdmissionWebhook(
    const AdmissionDependencies& dependencies) {
  return std::make_unique<MutatingWebhooks>(dependencies);
}
std::unique_ptr<AdmissionPlugin> NewValidatingAdmissionWebhook(
    const AdmissionDependencies& dependencies) {
  return std::make_unique<ValidatingWebhooks>(dependencies);
}

}  // namespace podium::apiserver
