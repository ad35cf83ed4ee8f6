#include "controllers/cluster_role_aggregation.h"

#include <algorithm>
#include <string>
#include <vector>

#include "api/cluster_role_aggregation.h"
#include "api/types/rbac_v1.h"
#include "controllers/keyed_work.h"
#include "reflect/copy.h"
#include "reflect/json.h"

namespace podium::controllers {
namespace {

using api::rbac::v1::ClusterRole;
using api::rbac::v1::PolicyRule;
using client::SharedObject;

constexpr std::string_view kName = "clusterrole-aggregation-controller";

class ClusterRoleAggregation final : public Controller {
 public:
  explicit ClusterRoleAggregation(const ControllerContext& context)
      : connection_(*context.connection),
        roles_(context.informers->For<ClusterRole>()),
        work_(context, kName, 5, [this](const std::string& key) { return Sync(key); }) {}

  std::string_view name() const override { return kName; }
  void Start() override {
    const auto changed = [this](const SharedObject& object) { Changed(object); };
    work_.Follow(roles_, {.on_add = [=](const auto& role, bool) { changed(role); },
                          .on_update = [=](const auto&, const auto& role) { changed(role); },
                          .on_delete = [=](const auto& role, bool) { changed(role); }});
    work_.Open();
  }

 private:
  // Any role may be selected by any other, and may have been by its former labels.
  void Changed(const SharedObject& object) {
    work_.Add(object.meta()->name);
    for (const SharedObject& each : roles_.List()) {
      const auto role = each.As<ClusterRole>();
      if (role->aggregationRule) work_.Add(role->metadata.name);
    }
  }
  Result<client::Reconciled> Sync(const std::string& name);
  Result<void> Write(const std::string& name, const std::vector<PolicyRule>& rules);

  client::Connection& connection_;
  client::Informer& roles_;
  KeyedWork work_;
};

Result<client::Reconciled> ClusterRoleAggregation::Sync(const std::string& name) {
  const auto role = roles_.Get<ClusterRole>({"", name});
  if (role == nullptr || !role->aggregationRule) return client::Reconciled();
  std::vector<std::shared_ptr<const ClusterRole>> kept;
  std::vector<const ClusterRole*> roles;
  for (const SharedObject& each : roles_.List()) {
    kept.push_back(each.As<ClusterRole>());
    roles.push_back(kept.back().get());
  }
  TRY(const std::vector<PolicyRule> rules, api::AggregatedRules(*role, roles));
  const bool same = std::ranges::equal(
      rules, role->rules, [](const auto& a, const auto& b) { return reflect::Equal(a, b); });
  if (!same) TRY_VOID(Write(name, rules));
  return client::Reconciled();
}

Result<void> ClusterRoleAggregation::Write(const std::string& name,
                                           const std::vector<PolicyRule>& rules) {
  ClusterRole wanted;
  wanted.metadata.name = name;
  wanted.rules.present = true;
  for (const PolicyRule& rule : rules) wanted.rules.push_back(reflect::Copy(rule));
  client::SetKind(reflect::TypeOf<ClusterRole>(), &wanted);
  TRY(const std::string json, reflect::ToJson(wanted));
  TRY(const client::Target target, client::TargetOf(reflect::TypeOf<ClusterRole>(), {"", name}));
  api::meta::v1::PatchOptions options;
  options.fieldManager = kName;
  options.force = true;
  TRY_VOID(connection_.Patch(target, client::PatchType::kApply, json, options));
  return {};
}

}  // namespace

std::unique_ptr<Controller> MakeClusterRoleAggregation(const ControllerContext& context) {
  return std::make_unique<ClusterRoleAggregation>(context);
}

}  // namespace podium::controllers
