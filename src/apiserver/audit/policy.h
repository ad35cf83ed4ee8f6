// The audit policy: which requests are logged, and how much of them (upstream's
// k8s.io/apiserver/pkg/audit/policy and pkg/apis/audit/validation, release 1.36).
//
//   TRY(const AuditPolicy policy, AuditPolicy::Load("/etc/podium/audit-policy.yaml"));
//   const AuditRule rule = policy.RuleFor(QuestionOf(user, info, query));
//   if (rule.level != AuditLevel::kNone) …
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/types/audit_v1.h"
#include "apiserver/authorization/authorizer.h"
#include "base/result.h"

namespace podium::apiserver {

// In the order of what they tell.
enum class AuditLevel : uint8_t { kNone, kMetadata, kRequest, kRequestResponse };
enum class AuditStage : uint8_t {
  kRequestReceived,
  kResponseStarted,
  kResponseComplete,
  kPanic,  // in policies only: nothing here panics
};
// "Metadata"
std::string_view NameOf(AuditLevel level);
// "ResponseComplete"
std::string_view NameOf(AuditStage stage);

// What applies to a request.
struct AuditRule {
  AuditLevel level = AuditLevel::kNone;
  uint8_t omitted_stages = 0;  // a bit for each
  bool omit_managed_fields = false;

  bool Omits(AuditStage stage) const {
    return (omitted_stages >> static_cast<unsigned>(stage) & 1U) != 0;
  }
};

// Immutable; any thread.
class AuditPolicy {
 public:
  // A policy of audit.k8s.io/v1 in YAML or JSON. kInvalidArgument with all that is wrong with it:
  // another kind or version, fields that nothing knows, twice the same, values that upstream's
  // validation refuses, and a policy without a rule.
  static Result<AuditPolicy> Parse(std::string_view text);
  // The same of a file, whose name is in the error.
  static Result<AuditPolicy> Load(const std::string& path);

  // Of the first rule that fits; none, and level None, when none does. `question` may be of a user
  // without name and groups: one who is not known yet.
  AuditRule RuleFor(const AuthorizationQuestion& question) const;

 private:
  struct Rule {
    api::audit::v1::PolicyRule matches;
    AuditRule what;
  };

  std::vector<Rule> rules_;
};

}  // namespace podium::apiserver
