// What kubectl apply and kubectl diff have in common: the patch that brings an object to what a
// file says (upstream's k8s.io/kubectl/pkg/cmd/apply, patcher.go). The messages are upstream's.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "cli/command.h"
#include "cli/selection.h"
#include "reflect/json_value.h"

namespace podium::cli {

// kubectl's managers, so that it and podium are one and objects can be applied by either.
inline constexpr std::string_view kServerSideManager = "kubectl";
inline constexpr std::string_view kClientSideManager = "kubectl-client-side-apply";

struct ApplyPatch {
  std::string body;
  std::string_view content_type;

  bool changes_nothing() const { return body == "{}"; }
};

struct ApplyPatchRules {
  // As reflect::ThreeWayOptions has it.
  bool overwrite = true;
  // "": at any version.
  std::string_view resource_version = {};
};

// By the annotation of what was applied last. `modified` is what the file says, with the annotation
// that is to stand there then.
Result<ApplyPatch> MakeApplyPatch(const Selected& item, const reflect::JsonValue& modified,
                                  const reflect::JsonValue& live, const ApplyPatchRules& rules);

// What is told of an object that could not be read, and of one that could not be patched.
Error RetrievingError(const Selected& item, const Error& error);
Error PatchError(const Selected& item, const std::string& body, const Error& error);

// Of one that goes already.
void WarnIfGoing(const Streams& streams, const reflect::JsonValue& object);

}  // namespace podium::cli
