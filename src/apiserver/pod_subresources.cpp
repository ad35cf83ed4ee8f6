// Subresources of pods that are asked for by a POST and change, or end, the pod: binding, eviction.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/conversion/conversion.h"
#include "api/scheme.h"
#include "api/status.h"
#include "api/types/core_v1.h"
#include "api/types/policy_v1.h"
#include "apiserver/body.h"
#include "apiserver/change.h"
#include "apiserver/request_options.h"
#include "apiserver/storage_keys.h"
#include "apiserver/subresources/binding.h"
#include "apiserver/subresources/eviction.h"
#include "reflect/copy.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::core::v1::Binding;
using api::core::v1::Pod;
using api::meta::v1::CreateOptions;
using api::meta::v1::DeleteOptions;
using api::meta::v1::Status;
using api::policy::v1::Eviction;
using api::policy::v1::PodDisruptionBudget;
using reflect::AnyObject;

// A budget that others write all the time is given up after so many attempts, as upstream.
constexpr int kMostBudgetWrites = 20;

// What both answer: a Status of success.
WriteOutcome Created() {
  WriteOutcome outcome;
  outcome.status = 201;
  outcome.value = AnyObject(reflect::TypeOf<Status>());
  Status& status = *outcome.value.As<Status>();
  status = api::SuccessStatus();
  status.code = 201;
  return outcome;
}

class BindingChange final : public Change {
 public:
  using Change::Change;

  Result<bool> Prepare() override {
    TRY(options_, ReadCreateOptions(call().query));
    dry_run_ = !options_.dryRun.empty();
    TRY(object_,
        DecodeBody(
            call(),
            {.type = &reflect::TypeOf<Binding>(), .group = "", .version = "v1", .kind = "Binding"},
            FieldValidationOf(options_.fieldValidation)));
    Binding& binding = *object_.As<Binding>();
    TRY_VOID(MatchNamespace(call().info.namespace_, &binding.metadata));
    // POST to bindings has the pod's name in the body alone.
    name_ = call().info.name.empty() ? binding.metadata.name : std::string(call().info.name);
    TRY_VOID(CheckBinding(binding, name_));
    key_ = KeyOf(Objects::PrefixOf(reflect::TypeOf<Pod>()), call().info.namespace_, name_);
    AdmissionRequest request = RequestFor();
    return parts().admission->MayBlock(request);
  }
  std::string Key() const override { return key_; }

  Result<NextState> Compute(const store::EntryPtr& current) override {
    if (!admitted_) {
      AdmissionRequest request = RequestFor();
      TRY_VOID(parts().admission->Admit(request));
      TRY_VOID(parts().admission->Validate(request));
      admitted_ = true;
    }
    if (!current) return api::NotFoundError({"", "pods"}, name_);
    AnyObject pod(reflect::TypeOf<Pod>());
    TRY_VOID(reflect::DecodeJsonInto(current->value(), reflect::TypeOf<Pod>(), pod.get(),
                                     {.strict = false}));
    MetaOf(pod).resourceVersion = std::to_string(current->mod_revision());
    TRY_VOID(Bind(*object_.As<Binding>(), now(), pod.As<Pod>()));
    NextState next;
    next.kind = NextState::Kind::kStore;
    next.status = 201;
    next.object = std::move(pod);
    return next;
  }

 private:
  AdmissionRequest RequestFor() {
    AdmissionRequest request = Admission(Operation::kCreate, name_);
    request.kind_group = "";
    request.kind_version = "v1";
    request.kind = "Binding";
    request.type = &object_.type();
    request.object = object_.get();
    request.options_type = &reflect::TypeOf<CreateOptions>();
    request.options = &options_;
    return request;
  }

  CreateOptions options_;
  AnyObject object_;
  std::string name_;
  std::string key_;
  bool admitted_ = false;
};

// Runs in the executor: a budget is written before the pod goes.
class EvictionTask : public std::enable_shared_from_this<EvictionTask> {
 public:
  EvictionTask(Writer& writer, CallPtr call, const ServedResource& pods, WriteDone done)
      : pass_(writer.Enter()),
        writer_(writer),
        call_(std::move(call)),
        pods_(pods),
        done_(std::move(done)) {}

  void Run() {
    const auto begun = Begin();
    if (!begun.ok()) Finish(begun.error());
  }

 private:
  Result<Eviction> ReadEviction(const CreateOptions& options) {
    // Of both versions, as old clients ask for the older one.
    const auto format = BodyFormatOf(call_->Header("Content-Type"));
    bool is_old = false;
    if (format.ok() && *format == BodyFormat::kJson) {
      const auto header = reflect::ReadHeader(call_->body);
      is_old = header.ok() && header->api_version == "policy/v1beta1";
    }
    const std::string_view version = is_old ? "v1beta1" : "v1";
    const reflect::Type* type = api::FindType(is_old ? "policy/v1beta1" : "policy/v1", "Eviction");
    TRY(AnyObject object,
        DecodeBody(*call_,
                   {.type = type, .group = "policy", .version = version, .kind = "Eviction"},
                   FieldValidationOf(options.fieldValidation)));
    TRY(AnyObject newest,
        api::ConvertObject(object.type(), object.get(), reflect::TypeOf<Eviction>()));
    return std::move(*newest.As<Eviction>());
  }

  Result<void> Begin() {
    TRY(const CreateOptions options, ReadCreateOptions(call_->query));
    TRY(Eviction eviction, ReadEviction(options));
    TRY_VOID(MatchNamespace(call_->info.namespace_, &eviction.metadata));
    TRY(const DeleteOptions wanted, EvictionOptions(eviction, call_->info.name, options.dryRun));
    const Objects& objects = *writer_.parts().objects;
    for (int i = 0; i < kMostBudgetWrites; ++i) {
      TRY(const auto pod, objects.Get<Pod>(call_->info.namespace_, call_->info.name));
      if (pod == nullptr) return api::NotFoundError({"", "pods"}, call_->info.name);
      TRY(const auto budgets, objects.List<PodDisruptionBudget>(call_->info.namespace_));
      const api::Time now = api::Time::FromUnix(writer_.parts().clock->Now() / kNanosPerSecond);
      TRY(EvictionPlan plan, PlanEviction(*pod, budgets, wanted, now));
      budget_name_ = plan.budget_name;
      if (!plan.budget) return Delete(std::move(plan));
      TRY(const bool written, WriteBudget(*plan.budget));
      if (written) return Delete(std::move(plan));
    }
    return BudgetConflicts(budget_name_);
  }

  Result<bool> WriteBudget(PodDisruptionBudget budget) {
    const store::Revision expected = std::stoll(budget.metadata.resourceVersion);
    budget.metadata.resourceVersion.clear();
    budget.kind = "PodDisruptionBudget";
    budget.apiVersion = "policy/v1";
    TRY(std::string json, reflect::ToJson(budget));
    TRY(const store::Written written,
        writer_.parts().store->WriteAndWait(
            {.key = KeyOf(Objects::PrefixOf(reflect::TypeOf<PodDisruptionBudget>()),
                          budget.metadata.namespace_, budget.metadata.name),
             .value = std::move(json),
             .expected = expected}));
    return written.changed;
  }

  Result<void> Delete(EvictionPlan plan) {
    struct Kept {
      CallPtr call;
      DeleteOptions options;
    };
    auto kept = std::make_shared<Kept>(Kept{call_, std::move(plan.options)});
    auto deletion = std::make_shared<Call>(*call_);
    deletion->info.verb = "delete";
    deletion->info.subresource = "";
    deletion->query.clear();
    deletion->body = "";
    deletion->decoded_body = {.type = &reflect::TypeOf<DeleteOptions>(), .object = &kept->options};
    deletion->keeps_alive = kept;
    writer_.Delete(std::move(deletion), pods_,
                   [self = shared_from_this(),
                    retry = plan.conflict_means_retry](Result<WriteOutcome> outcome) {
                     if (outcome.ok()) return self->Finish(Created());
                     if (retry && outcome.error().code() == Code::kConflict) {
                       return self->Finish(TooManyDisruptions(self->budget_name_));
                     }
                     self->Finish(std::move(outcome));
                   });
    return {};
  }

  void Finish(Result<WriteOutcome> outcome) {
    if (const WriteDone done = std::exchange(done_, nullptr)) done(std::move(outcome));
  }

  const Gate::Pass pass_;
  Writer& writer_;
  const CallPtr call_;
  const ServedResource& pods_;
  WriteDone done_;
  std::string budget_name_;
};

}  // namespace

void Writer::Bind(CallPtr call, const ServedResource& resource, WriteDone done) {
  WriteDone answered = [done = std::move(done)](Result<WriteOutcome> outcome) {
    done(outcome.ok() ? Result<WriteOutcome>(Created()) : std::move(outcome));
  };
  Start(std::make_shared<BindingChange>(*this, std::move(call), resource, std::move(answered)));
}

void Writer::Evict(CallPtr call, const ServedResource& pods, WriteDone done) {
  auto task = std::make_shared<EvictionTask>(*this, std::move(call), pods, std::move(done));
  parts_.executor->Post([task] { task->Run(); });
}

}  // namespace podium::apiserver
