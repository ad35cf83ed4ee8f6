#include "controllers/namespace_deletion.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "api/grace_period.h"
#include "client/work_queue.h"
#include "controllers/discovery.h"
#include "reflect/copy.h"

namespace podium::controllers {
namespace {

using api::core::v1::Namespace;
using api::core::v1::NamespaceCondition;
using api::core::v1::NamespaceStatus;
using api::meta::v1::DeleteOptions;
using api::meta::v1::ListOptions;
using client::Connection;
using client::SharedObject;
using client::Target;

constexpr std::string_view kKubernetes = "kubernetes";
// How long finalizers of others are given before another look.
constexpr std::chrono::seconds kFinalizerEstimate{15};

bool Has(const auto& verbs, std::string_view verb) {
  return std::ranges::find(verbs, verb) != verbs.end();
}

struct ConditionWords {
  std::string_view type;
  std::string_view good_reason;
  std::string_view good_message;
  std::string_view bad_reason;
};

constexpr ConditionWords kDiscovery{"NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered",
                                    "All resources successfully discovered", "DiscoveryFailed"};
constexpr ConditionWords kParsing{
    "NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions",
    "All legacy kube types successfully parsed", "GroupVersionParsingFailed"};
constexpr ConditionWords kContent{
    "NamespaceDeletionContentFailure", "ContentDeleted",
    "All content successfully deleted, may be waiting on finalization", "ContentDeletionFailed"};
constexpr ConditionWords kRemaining{"NamespaceContentRemaining", "ContentRemoved",
                                    "All content successfully removed", "SomeResourcesRemain"};
constexpr ConditionWords kFinalizers{"NamespaceFinalizersRemaining", "ContentHasNoFinalizers",
                                     "All content-preserving finalizers finished",
                                     "SomeFinalizersRemain"};

// A good one unless there is a message.
bool SetCondition(const ConditionWords& words, const std::string& problem, api::Time now,
                  NamespaceStatus* status) {
  NamespaceCondition wanted;
  wanted.type = words.type;
  wanted.status = problem.empty() ? "False" : "True";
  wanted.reason = problem.empty() ? words.good_reason : words.bad_reason;
  wanted.message = problem.empty() ? std::string(words.good_message) : problem;
  wanted.lastTransitionTime = now;
  auto old = std::ranges::find(status->conditions, words.type, &NamespaceCondition::type);
  if (old == status->conditions.end()) {
    status->conditions.push_back(std::move(wanted));
    return true;
  }
  if (old->status == wanted.status && old->reason == wanted.reason &&
      old->message == wanted.message) {
    return false;
  }
  if (old->status == wanted.status) wanted.lastTransitionTime = old->lastTransitionTime;
  *old = std::move(wanted);
  return true;
}

std::string CountText(const std::map<std::string, int64_t>& counts, std::string_view what,
                      std::string_view how) {
  if (counts.empty()) return "";
  std::vector<std::string> parts;
  parts.reserve(counts.size());
  for (const auto& [name, count] : counts) {
    parts.push_back(fmt::format("{} {} {} resource instances", name, how, count));
  }
  return fmt::format("{}: {}", what, fmt::join(parts, ", "));
}

std::string FailureText(const std::vector<std::string>& failures, std::string_view what) {
  if (failures.empty()) return "";
  return fmt::format("{}: {}", fmt::format(fmt::runtime(what), failures.size()),
                     fmt::join(failures, ", "));
}

// Deletes what is in one namespace, and counts what stays for now.
class ContentDeleter {
 public:
  ContentDeleter(Connection& connection, std::string name_space)
      : connection_(connection), name_space_(std::move(name_space)) {}

  DeletionFindings Run(const DiscoveredResources& discovered) && {
    findings_.discovery_failures = discovered.failures;
    const auto is_pods = [](const DiscoveredResource& each) {
      return each.target.group.empty() && each.target.resource == "pods";
    };
    for (const auto& each : discovered.resources) {
      if (is_pods(each)) Delete(each);
    }
    // What guards pods (network policies, budgets, quotas) goes after them, CVE-2024-7598.
    if (!findings_.remaining.empty() || !findings_.content_failures.empty()) return Done();
    for (const auto& each : discovered.resources) {
      if (each.namespaced && !is_pods(each)) Delete(each);
    }
    return Done();
  }

 private:
  DeletionFindings Done() { return std::move(findings_); }

  void Delete(const DiscoveredResource& resource) {
    Target target = resource.target;
    target.namespace_ = name_space_;
    const auto deleted = DeleteAll(resource, target);
    if (!deleted.ok()) {
      findings_.content_failures.emplace_back(deleted.error().message());
      return;
    }
    if (!resource.HasVerb("list")) return;
    const auto left = List(target);
    if (!left.ok()) {
      findings_.content_failures.emplace_back(left.error().message());
      return;
    }
    Count(resource, *left);
  }

  Result<std::vector<SharedObject>> List(Target target) {
    target.metadata_only = true;
    TRY(auto list, connection_.List(target, {}));
    return std::move(list.items);
  }

  Result<void> DeleteAll(const DiscoveredResource& resource, const Target& target) {
    DeleteOptions options;
    options.propagationPolicy = "Background";
    if (resource.HasVerb("deletecollection")) {
      const auto deleted = connection_.DeleteCollection(target, options, ListOptions());
      if (deleted.ok() || deleted.error().code() != Code::kUnsupported) return deleted;
    }
    if (!resource.HasVerb("list")) return {};
    TRY(const auto objects, List(target));
    for (const SharedObject& object : objects) {
      Target one = target;
      one.name = object.meta()->name;
      const auto deleted = connection_.Delete(one, options);
      if (!deleted.ok() && deleted.error().code() != Code::kNotFound) return deleted.error();
    }
    return {};
  }

  void Count(const DiscoveredResource& resource, const std::vector<SharedObject>& left) {
    if (left.empty()) return;
    findings_.remaining[resource.target.resource + "." + resource.target.group] =
        static_cast<int64_t>(left.size());
    for (const SharedObject& object : left) {
      const auto& metadata = *object.meta();
      for (const std::string& finalizer : metadata.finalizers) ++findings_.finalizers[finalizer];
      const std::chrono::seconds grace{
          api::BoundedGracePeriod(metadata.deletionGracePeriodSeconds.value_or(0))};
      findings_.estimate = std::max(findings_.estimate, grace);
    }
    if (!findings_.finalizers.empty()) {
      findings_.estimate = std::max(findings_.estimate, kFinalizerEstimate);
    }
  }

  Connection& connection_;
  const std::string name_space_;
  DeletionFindings findings_;
};

class NamespaceController : public Controller {
 public:
  explicit NamespaceController(const ControllerContext& context)
      : context_(context),
        namespaces_(context.informers->For<Namespace>()),
        queue_({.executor = context.executor,
                .clock = context.clock,
                .workers = 10,
                .reconcile = [this](const std::string& key) { return Sync(key); },
                .on_error =
                    [this](const std::string& key, const Error& error) {
                      if (context_.on_error) context_.on_error(name(), key, error);
                    }}) {}
  ~NamespaceController() override {
    if (started_) namespaces_.RemoveHandler(handler_);
    queue_.ShutDown();
  }

  std::string_view name() const override { return "namespace-controller"; }
  void Start() override {
    started_ = true;
    const auto add = [this](const SharedObject& object) {
      if (object.meta()->deletionTimestamp) queue_.Add(object.meta()->name);
    };
    handler_ = namespaces_.AddHandler(
        {.on_add = [=](const SharedObject& object, bool) { add(object); },
         .on_update = [=](const SharedObject&, const SharedObject& object) { add(object); }});
    queue_.Open();
  }

 private:
  Result<client::Reconciled> Sync(const std::string& name);
  Result<std::shared_ptr<const Namespace>> Write(const Namespace& changed,
                                                 std::string_view subresource);

  const ControllerContext context_;
  client::Informer& namespaces_;
  client::WorkQueue queue_;
  bool started_ = false;
  client::Informer::HandlerId handler_ = 0;
};

Result<std::shared_ptr<const Namespace>> NamespaceController::Write(const Namespace& changed,
                                                                    std::string_view subresource) {
  TRY(const Target target,
      client::TargetOf(reflect::TypeOf<Namespace>(), {"", changed.metadata.name}, subresource));
  TRY(const SharedObject written, context_.connection->Update(target, changed, {}));
  return written.As<Namespace>();
}

// The newest state is asked for: what the informer has may be of a namespace that came after.
Result<client::Reconciled> NamespaceController::Sync(const std::string& name) {
  TRY(const Target target, client::TargetOf(reflect::TypeOf<Namespace>(), {"", name}));
  const auto got = context_.connection->Get(target, {});
  if (!got.ok() && got.error().code() == Code::kNotFound) return client::Reconciled();
  if (!got.ok()) return got.error();
  auto current = got->As<Namespace>();
  if (current == nullptr || !current->metadata.deletionTimestamp) return client::Reconciled();
  if (current->status.phase != "Terminating") {
    Namespace changed = reflect::Copy(*current);
    changed.status.phase = "Terminating";
    TRY(current, Write(changed, "status"));
  }
  if (!Has(current->spec.finalizers, kKubernetes)) return client::Reconciled();

  TRY(const DiscoveredResources discovered, Discover(*context_.connection));
  const DeletionFindings findings = ContentDeleter(*context_.connection, name).Run(discovered);
  Namespace changed = reflect::Copy(*current);
  const auto now = api::Time::FromUnix(context_.clock->Now() / kNanosPerSecond);
  if (SetDeletionConditions(findings, now, &changed.status)) {
    TRY(current, Write(changed, "status"));
    changed = reflect::Copy(*current);
  }
  if (!findings.discovery_failures.empty() || !findings.content_failures.empty()) {
    return Error(Code::kUnavailable, fmt::format("the content of namespace {} cannot be deleted "
                                                 "yet: {}{}",
                                                 name, fmt::join(findings.discovery_failures, ", "),
                                                 fmt::join(findings.content_failures, ", ")));
  }
  if (!findings.remaining.empty()) {
    return client::Reconciled{.requeue_after = findings.estimate / 2 + std::chrono::seconds(1)};
  }
  std::erase(changed.spec.finalizers, kKubernetes);
  TRY_VOID(Write(changed, "finalize"));
  return client::Reconciled();
}

}  // namespace

bool SetDeletionConditions(const DeletionFindings& findings, api::Time now,
                           NamespaceStatus* status) {
  std::vector<std::string> content = findings.content_failures;
  std::ranges::sort(content);
  bool changed = SetCondition(
      kDiscovery,
      FailureText(findings.discovery_failures, "Discovery failed for some groups, {} failing"), now,
      status);
  changed |= SetCondition(kParsing, "", now, status);
  changed |= SetCondition(kContent,
                          FailureText(content, "Failed to delete all resource types, {} remaining"),
                          now, status);
  changed |=
      SetCondition(kRemaining, CountText(findings.remaining, "Some resources are remaining", "has"),
                   now, status);
  changed |= SetCondition(kFinalizers,
                          CountText(findings.finalizers,
                                    "Some content in the namespace has finalizers remaining", "in"),
                          now, status);
  return changed;
}

std::unique_ptr<Controller> MakeNamespaceController(const ControllerContext& context) {
  return std::make_unique<NamespaceController>(context);
}

}  // namespace podium::controllers
