#include "apiserver/custom_resources/definition_status.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "api/field_errors.h"
#include "api/go_url.h"
#include "api/structural/custom_resource.h"
#include "reflect/copy.h"
#include "reflect/go_text.h"
#include "reflect/json.h"

namespace podium::apiserver {
namespace {

using api::apiextensions::v1::CustomResourceDefinition;
using api::apiextensions::v1::CustomResourceDefinitionCondition;
using api::apiextensions::v1::CustomResourceDefinitionNames;
using api::field::ErrorList;
using api::field::Path;

using Used = std::set<std::string, std::less<>>;

CustomResourceDefinitionCondition ConditionOf(std::string_view type, bool status,
                                              std::string_view reason, std::string message) {
  CustomResourceDefinitionCondition condition;
  condition.type = type;
  condition.status = status ? "True" : "False";
  condition.reason = reason;
  condition.message = std::move(message);
  return condition;
}

std::string InUse(const std::string& name) {
  return reflect::GoQuoted(name) + " is already in use";
}

bool RemoveCondition(std::string_view type, CustomResourceDefinition* definition) {
  return std::erase_if(definition->status.conditions,
                       [&](const auto& each) { return each.type == type; }) > 0;
}

// Takes the names that are free, and says which were not: the condition has the last reason.
class Naming {
 public:
  Naming(const GroupNames& used, const CustomResourceDefinitionNames& wanted,
         const CustomResourceDefinitionNames& had)
      : used_(used), wanted_(wanted), had_(had), names_(had) {}

  CustomResourceDefinitionNames Run() {
    Take(&CustomResourceDefinitionNames::plural, used_.resources, "PluralConflict");
    Take(&CustomResourceDefinitionNames::singular, used_.resources, "SingularConflict");
    TakeShortNames();
    Take(&CustomResourceDefinitionNames::kind, used_.kinds, "KindConflict");
    Take(&CustomResourceDefinitionNames::listKind, used_.kinds, "ListKindConflict");
    names_.categories = wanted_.categories;
    return names_;
  }
  bool accepted() const { return reason_.empty(); }
  CustomResourceDefinitionCondition condition() const {
    if (accepted()) return ConditionOf("NamesAccepted", true, "NoConflicts", "no conflicts found");
    return ConditionOf("NamesAccepted", false, reason_, message_);
  }

 private:
  void Take(std::string CustomResourceDefinitionNames::* name, const Used& used,
            std::string_view conflict) {
    const std::string& wanted = wanted_.*name;
    if (wanted == had_.*name || !used.contains(wanted)) {
      names_.*name = wanted;
    } else {
      reason_ = conflict;
      message_ = InUse(wanted);
    }
  }

  void TakeShortNames() {
    std::vector<std::string> problems;
    for (const std::string& name : wanted_.shortNames) {
      const bool own = std::ranges::find(had_.shortNames, name) != had_.shortNames.end();
      if (!own && used_.resources.contains(name)) problems.push_back(InUse(name));
    }
    if (problems.empty()) {
      names_.shortNames = wanted_.shortNames;
      return;
    }
    reason_ = "ShortNamesConflict";
    message_ = problems.front();
    if (problems.size() == 1) return;
    for (size_t i = 1; i < problems.size(); ++i) message_ += ", " + problems[i];
    message_ = "[" + message_ + "]";
  }

  const GroupNames& used_;
  const CustomResourceDefinitionNames& wanted_;
  const CustomResourceDefinitionNames& had_;
  CustomResourceDefinitionNames names_;
  std::string reason_;
  std::string message_;
};

bool SettleNames(const GroupNames& used, api::Time now, CustomResourceDefinition* definition) {
  auto& status = definition->status;
  Naming naming(used, definition->spec.names, status.acceptedNames);
  CustomResourceDefinitionNames names = naming.Run();
  bool changed = !reflect::Equal(names, status.acceptedNames);
  if (changed) status.acceptedNames = std::move(names);
  changed |= SetCondition(naming.condition(), now, definition);
  if (IsConditionTrue(*definition, "Established")) return changed;
  return SetCondition(naming.accepted() ? ConditionOf("Established", true, "InitialNamesAccepted",
                                                      "the initial names have been accepted")
                                        : ConditionOf("Established", false, "NotAccepted",
                                                      "not all names are accepted"),
                      now, definition) ||
         changed;
}

// A schema that a definition of old may have.
bool SettleStructure(api::Time now, CustomResourceDefinition* definition) {
  ErrorList errors;
  const auto& spec = definition->spec;
  const Path spec_path("spec");
  if (spec.preserveUnknownFields) {
    errors.Add(
        api::field::Invalid(spec_path.Child("preserveUnknownFields"), true, "must be false"));
  }
  const Path versions = spec_path.Child("versions");
  for (size_t i = 0; i < spec.versions.size(); ++i) {
    const auto& schema = spec.versions[i].schema;
    if (!schema || !schema->openAPIV3Schema) continue;
    const Path version = versions.Index(i);
    const Path at = version.Child("schema");
    const Path path = at.Child("openAPIV3Schema");
    const auto json = reflect::ToJson(*schema->openAPIV3Schema);
    const auto parsed = json.ok() ? reflect::ParseJson(*json) : json.error();
    auto structural = parsed.ok() ? reflect::ParseStructural(*parsed)
                                  : Result<std::unique_ptr<reflect::Structural>>(parsed.error());
    if (!structural.ok()) {
      errors.Add(api::field::Invalid(path, "", structural.error().message()));
    } else {
      errors.Append(api::ValidateStructural(**structural, path));
    }
  }
  if (errors.empty()) return RemoveCondition("NonStructuralSchema", definition);
  return SetCondition(
      ConditionOf("NonStructuralSchema", true, "Violations", errors.AggregateText()), now,
      definition);
}

// Of a group of the Kubernetes project: whether its API was approved.
std::optional<CustomResourceDefinitionCondition> ApprovalOf(
    const CustomResourceDefinition& definition) {
  constexpr std::string_view kType = "KubernetesAPIApprovalPolicyConformant";
  constexpr std::string_view kSee = "https://github.com/kubernetes/enhancements/pull/1111";
  const std::string suffix = "." + definition.spec.group;
  if (!suffix.ends_with(".k8s.io") && !suffix.ends_with(".kubernetes.io")) return std::nullopt;
  const std::string_view name = api::apiextensions::v1::kKubeAPIApprovedAnnotation;
  const auto found = definition.metadata.annotations.find(std::string(name));
  const std::string text =
      found != definition.metadata.annotations.end() ? found->second : std::string();
  const std::string must =
      "protected groups must have approval annotation " + reflect::GoQuoted(name);
  if (text.empty()) {
    return ConditionOf(kType, false, "MissingAnnotation", must + ", see " + std::string(kSee));
  }
  if (text.starts_with("unapproved")) {
    return ConditionOf(kType, false, "UnapprovedAnnotation",
                       "not approved: " + reflect::GoQuoted(text));
  }
  const auto url = api::ParseGoRequestUri(text);
  if (url.ok() && !url->host.empty() && !url->scheme.empty()) {
    return ConditionOf(kType, true, "ApprovedAnnotation", "approved in " + text);
  }
  return ConditionOf(kType, false, "InvalidAnnotation",
                     must + " with either a URL or a reason starting with \"unapproved\", see " +
                         std::string(kSee));
}

}  // namespace

void GroupNames::Add(const CustomResourceDefinitionNames& accepted) {
  for (const std::string* name : {&accepted.plural, &accepted.singular}) {
    if (!name->empty()) resources.insert(*name);
  }
  resources.insert(accepted.shortNames.begin(), accepted.shortNames.end());
  for (const std::string* name : {&accepted.kind, &accepted.listKind}) {
    if (!name->empty()) kinds.insert(*name);
  }
}

bool IsConditionTrue(const CustomResourceDefinition& definition, std::string_view type) {
  return std::ranges::any_of(definition.status.conditions, [&](const auto& each) {
    return each.type == type && each.status == "True";
  });
}

bool SetCondition(CustomResourceDefinitionCondition condition, api::Time now,
                  CustomResourceDefinition* definition) {
  auto& conditions = definition->status.conditions;
  const auto known =
      std::ranges::find(conditions, condition.type, &CustomResourceDefinitionCondition::type);
  if (known == conditions.end()) {
    condition.lastTransitionTime = now;
    conditions.push_back(std::move(condition));
    return true;
  }
  condition.lastTransitionTime =
      known->status == condition.status ? known->lastTransitionTime : now;
  condition.observedGeneration = known->observedGeneration;
  if (reflect::Equal(*known, condition)) return false;
  *known = std::move(condition);
  return true;
}

bool SetTerminating(bool is, std::string_view reason, std::string_view message, api::Time now,
                    CustomResourceDefinition* definition) {
  return SetCondition(ConditionOf("Terminating", is, reason, std::string(message)), now,
                      definition);
}

bool SettleStatus(const GroupNames& names, api::Time now, CustomResourceDefinition* definition) {
  bool changed = SettleNames(names, now, definition);
  changed |= SettleStructure(now, definition);
  if (auto approval = ApprovalOf(*definition)) {
    changed |= SetCondition(*std::move(approval), now, definition);
  }
  return changed;
}

bool HasCleanupFinalizer(const CustomResourceDefinition& definition) {
  const auto& finalizers = definition.metadata.finalizers;
  return std::ranges::find(finalizers, kCleanupFinalizer) != finalizers.end();
}

}  // namespace podium::apiserver
