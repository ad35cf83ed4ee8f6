// What kubectl apply --prune takes away: objects that were applied once, are selected, and are not
// in the files any more (upstream's k8s.io/kubectl/pkg/util/prune). Its messages are upstream's.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "cli/selection.h"
#include "cli/server.h"
#include "reflect/json_value.h"

namespace podium::cli {

inline constexpr Option kPruneAllowlistOption = {
    .name = "prune-allowlist",
    .value = "GROUP/VERSION/KIND",
    .help =
        "a kind that --prune looks at, rather than those it always does: core/v1/ConfigMap; "
        "may be given several times",
    .repeatable = true};

class Pruner {
 public:
  // By --prune-allowlist, else upstream's kinds; and by the selectors. null without --prune. The
  // server and the invocation outlive it.
  static Result<std::unique_ptr<Pruner>> Of(Server& server, const Invocation& invocation);

  // What the files have: it stays, and its namespace is looked at.
  void Keep(const Selected& item, const reflect::JsonValue& object);
  // All others, with `object` as it is now: of each namespace in the order of kinds, and what is in
  // none.
  Result<std::vector<Selected>> Find();

 private:
  Pruner(Server& server, const Invocation& invocation) : server_(server), invocation_(invocation) {}
  Result<void> FindIn(const std::string& name_space, const ServerResource& resource,
                      std::vector<Selected>* found);

  Server& server_;
  const Invocation& invocation_;
  std::vector<const ServerResource*> kinds_;  // none: the default ones
  std::set<std::string, std::less<>> kept_;   // uids
  std::set<std::string> namespaces_;
};

// What is told when an object could not be listed or deleted.
Error PruneError(const ServerResource& resource, const Error& error);

}  // namespace podium::cli
