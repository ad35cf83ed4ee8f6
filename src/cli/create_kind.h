// What the commands that create one object of a kind have in common: `create configmap` and its
// like, which are listed here.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/create_options.h"
#include "cli/object_maker.h"
#include "cli/object_printer.h"
#include "cli/server_errors.h"
#include "cli/server_options.h"
#include "cli/server_writes.h"

namespace podium::cli {

struct KindRules {
  const char* command;  // "create configmap"
  // Stands before what the server says, which then loses its Status, as with kubectl; "" for none.
  const char* failure = "";
};

// What a builder makes an object of.
struct KindRequest {
  const Invocation& invocation;
  ObjectMaker& maker;
  std::string name;
  std::vector<std::string> words;  // behind the name: of a container's command

  std::string Text(std::string_view option) const { return std::string(invocation.Get(option)); }
};

// Reads the one name, and what stands behind "--".
Result<std::vector<std::string>> NameAndWords(const Invocation& invocation,
                                              std::string_view command);
Outcome FinishKind(ObjectMaker& maker, const KindRules& rules,
                   const Result<reflect::JsonValue>& made);

// One run: `build` makes the object, Result<T>(const KindRequest&).
template <class Build>
Outcome CreateKind(const Invocation& invocation, const Streams& streams, const KindRules& rules,
                   Build build) {
  const auto words = NameAndWords(invocation, rules.command);
  if (!words.ok()) return ServerFailure(words.error());
  auto maker = ObjectMaker::Of(invocation, streams,
                               {.done = "created", .manager = "kubectl-create", .is_create = true});
  if (!maker.ok()) return ServerFailure(maker.error());
  const KindRequest request{.invocation = invocation,
                            .maker = *maker,
                            .name = words->front(),
                            .words = {words->begin() + 1, words->end()}};
  auto object = build(request);
  if (!object.ok()) return ServerFailure(object.error());
  return FinishKind(*maker, rules, maker->Make(*std::move(object)));
}

// A kind's own options, and those that all kinds have.
template <size_t count>
constexpr auto WithKindOptions(const Option (&own)[count]) {
  constexpr Option kShared[] = {kSaveConfigOption,       kCreateManagerOption,    kValidateOption,
                                kDryRunOption,           kChangedOutputOption,    kTemplateOption,
                                kAllowMissingKeysOption, kShowManagedFieldsOption};
  constexpr size_t kSharedCount = std::size(kShared);
  Option all[count + kSharedCount] = {};
  for (size_t i = 0; i < count; ++i) all[i] = own[i];
  for (size_t i = 0; i < kSharedCount; ++i) all[count + i] = kShared[i];
  return WithServerOptions(all);
}
constexpr auto WithKindOptions() {
  constexpr Option kShared[] = {kSaveConfigOption,       kCreateManagerOption,    kValidateOption,
                                kDryRunOption,           kChangedOutputOption,    kTemplateOption,
                                kAllowMissingKeysOption, kShowManagedFieldsOption};
  return WithServerOptions(kShared);
}

Command CreateClusterRoleCommand();
Command CreateClusterRoleBindingCommand();
Command CreateConfigMapCommand();
Command CreateCronJobCommand();
Command CreateDeploymentCommand();
Command CreateIngressCommand();
Command CreateJobCommand();
Command CreateNamespaceCommand();
Command CreatePodDisruptionBudgetCommand();
Command CreatePriorityClassCommand();
Command CreateQuotaCommand();
Command CreateRoleCommand();
Command CreateRoleBindingCommand();
Command CreateSecretCommand();
Command CreateServiceCommand();
Command CreateServiceAccountCommand();
Command CreateTokenCommand();

}  // namespace podium::cli
