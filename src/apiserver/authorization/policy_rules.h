// What a rule of a role allows, and whether some rules are worth as much as others (upstream's
// pkg/apis/rbac/v1 helpers, component-helpers/auth/rbac/validation and
// pkg/registry/rbac/validation, release 1.36).
//
// Pure; any thread.
#pragma once

#include <string>
#include <vector>

#include "api/types/rbac_v1.h"
#include "apiserver/authorization/authorizer.h"

namespace podium::apiserver {

using PolicyRules = std::vector<api::rbac::v1::PolicyRule>;

bool RuleAllows(const AuthorizationQuestion& question, const api::rbac::v1::PolicyRule& rule);
bool RulesAllow(const AuthorizationQuestion& question, const PolicyRules& rules);

bool SameRule(const api::rbac::v1::PolicyRule& a, const api::rbac::v1::PolicyRule& b);

// Those of `wanted` that `owned` does not give, broken down to one verb, group, resource and name
// each (or one verb and path); empty when it gives all of them. What one owned rule gives in part
// is not added up with what another one does: "*" needs "*".
PolicyRules MissingRules(const PolicyRules& owned, const PolicyRules& wanted);

// Joins rules that differ by verb alone, of one group and one resource each.
PolicyRules CompactRules(const PolicyRules& rules);

// `{APIGroups:["apps"], Resources:["deployments"], Verbs:["get" "list"]}`, as messages have it.
std::string DescribeRule(const api::rbac::v1::PolicyRule& rule);

// `["a" "b"]`: Go's %q of a list.
std::string QuotedList(const std::vector<std::string>& texts);

}  // namespace podium::apiserver
