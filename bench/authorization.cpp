// What authorization costs a request: how long one question takes, with a store in memory that has
// the default roles and as many bindings as said. See docs/benchmarks.md.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <cstdlib>
#include <string>

#include "api/types/core_v1.h"
#include "api/types/rbac_v1.h"
#include "apiserver/authorization/default_roles.h"
#include "apiserver/authorization/server_authorizer.h"
#include "apiserver/objects.h"
#include "apiserver/storage_keys.h"
#include "base/executor.h"
#include "reflect/json.h"
#include "store/memory_store.h"

namespace podium::apiserver {
namespace {

using api::rbac::v1::RoleBinding;

struct Cluster {
  ThreadExecutor executor{1};
  store::MemoryStore store{executor};
  ServerAuthorizer authorizer{store};

  Cluster() {
    const DefaultRoles roles = MakeDefaultRoles();
    for (const auto& role : roles.cluster_roles) Put(role);
    for (const auto& binding : roles.cluster_role_bindings) Put(binding);
  }
  template <class T>
  void Put(const T& object) {
    const auto json = reflect::ToJson(object);
    const std::string key = KeyOf(Objects::PrefixOf(reflect::TypeOf<T>()),
                                  object.metadata.namespace_, object.metadata.name);
    if (!json.ok() || !store.WriteAndWait({.key = key, .value = *json}).ok()) std::abort();
  }
  // Binds the role that editors have, in the namespace "default".
  void Bind(const std::string& name, const std::string& user) {
    RoleBinding binding;
    binding.kind = "RoleBinding";
    binding.apiVersion = "rbac.authorization.k8s.io/v1";
    binding.metadata.namespace_ = "default";
    binding.metadata.name = name;
    binding.roleRef = {.apiGroup = "rbac.authorization.k8s.io",
                       .kind = "ClusterRole",
                       .name = "system:aggregate-to-edit"};
    binding.subjects.resize(1);
    binding.subjects[0].kind = "User";
    binding.subjects[0].name = user;
    Put(binding);
  }
};

void Ask(benchmark::State& state, const Cluster& cluster, const User& user, std::string_view group,
         std::string_view resource) {
  for (auto step : state) {
    (void)step;
    benchmark::DoNotOptimize(cluster.authorizer.Authorize({.user = user,
                                                           .verb = "create",
                                                           .namespace_ = "default",
                                                           .group = group,
                                                           .resource = resource}));
  }
}

void Administrator(benchmark::State& state) {
  const Cluster cluster;
  Ask(state, cluster, {.name = "root", .groups = {"system:masters", "system:authenticated"}}, "",
      "pods");
}
BENCHMARK(Administrator);

// Of so many users that have a binding each, one.
void Allowed(benchmark::State& state) {
  Cluster cluster;
  for (int64_t i = 0; i < state.range(0); ++i) {
    cluster.Bind(fmt::format("b{}", i), fmt::format("user-{}", i));
  }
  Ask(state, cluster, {.name = "user-0", .groups = {"system:authenticated"}}, "apps",
      "deployments");
}
BENCHMARK(Allowed)->Arg(1)->Arg(1000)->Arg(10000);

void Refused(benchmark::State& state) {
  Cluster cluster;
  for (int64_t i = 0; i < state.range(0); ++i) {
    cluster.Bind(fmt::format("b{}", i), fmt::format("user-{}", i));
  }
  Ask(state, cluster, {.name = "user-0", .groups = {"system:authenticated"}}, "x.example.com",
      "things");
}
BENCHMARK(Refused)->Arg(1)->Arg(1000);

// All bindings are the user's, and none helps.
void RefusedByAll(benchmark::State& state) {
  Cluster cluster;
  for (int64_t i = 0; i < state.range(0); ++i) cluster.Bind(fmt::format("b{}", i), "user");
  Ask(state, cluster, {.name = "user", .groups = {"system:authenticated"}}, "x.example.com",
      "things");
}
BENCHMARK(RefusedByAll)->Arg(1000);

// Pods of 100 nodes, each with a ConfigMap of its own.
void PutPods(int64_t count, Cluster* cluster) {
  for (int64_t i = 0; i < count; ++i) {
    api::core::v1::Pod pod;
    pod.kind = "Pod";
    pod.apiVersion = "v1";
    pod.metadata.namespace_ = "default";
    pod.metadata.name = fmt::format("pod-{}", i);
    pod.metadata.labels = {{"app", "bench"}, {"pod-template-hash", "5d4f8c7b9"}};
    pod.spec.nodeName = fmt::format("node-{}", i % 100);
    pod.spec.serviceAccountName = "default";
    pod.spec.containers.resize(1);
    pod.spec.containers[0].name = "main";
    pod.spec.containers[0].image = "registry.example/pause:3.9";
    pod.spec.volumes.resize(1);
    pod.spec.volumes[0].name = "settings";
    pod.spec.volumes[0].configMap.emplace().name = fmt::format("settings-{}", i);
    pod.status.phase = "Running";
    cluster->Put(pod);
  }
}

bool AskAsNode(const Authorizer& authorizer) {
  static const User kNode{.name = "system:node:node-7",
                          .groups = {"system:nodes", "system:authenticated"}};
  return authorizer
             .Authorize({.user = kNode,
                         .verb = "get",
                         .namespace_ = "default",
                         .resource = "configmaps",
                         .name = "settings-7"})
             .decision == Decision::kAllow;
}

// Reads all pods.
void FirstOfANode(benchmark::State& state) {
  Cluster cluster;
  PutPods(state.range(0), &cluster);
  for (auto step : state) {
    (void)step;
    const ServerAuthorizer authorizer(cluster.store);
    if (!AskAsNode(authorizer)) state.SkipWithError("refused");
  }
}
BENCHMARK(FirstOfANode)->Arg(100)->Arg(10000)->Unit(benchmark::kMillisecond);

void OfANode(benchmark::State& state) {
  Cluster cluster;
  PutPods(state.range(0), &cluster);
  (void)AskAsNode(cluster.authorizer);
  for (auto step : state) {
    (void)step;
    if (!AskAsNode(cluster.authorizer)) state.SkipWithError("refused");
  }
}
BENCHMARK(OfANode)->Arg(100)->Arg(10000);

}  // namespace
}  // namespace podium::apiserver

BENCHMARK_MAIN();
