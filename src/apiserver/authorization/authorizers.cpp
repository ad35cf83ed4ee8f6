#include "apiserver/authorization/authorizers.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/text.h"

namespace podium::apiserver {

Authorization PrivilegedGroupAuthorizer::Authorize(const AuthorizationQuestion& question) const {
  if (question.user.InGroup(group_)) return {.decision = Decision::kAllow};
  return {};
}

Authorization AuthorizerUnion::Authorize(const AuthorizationQuestion& question) const {
  Authorization none;
  std::vector<std::string> errors;
  for (const Authorizer* authorizer : authorizers_) {
    Authorization answer = authorizer->Authorize(question);
    if (answer.decision != Decision::kNoOpinion) return answer;
    if (!answer.reason.empty()) {
      if (!none.reason.empty()) none.reason += "\n";
      none.reason += answer.reason;
    }
    if (!answer.evaluation_error.empty()) errors.push_back(std::move(answer.evaluation_error));
  }
  none.evaluation_error = JoinErrors(errors);
  return none;
}

UserRules RuleResolverUnion::RulesFor(const User& user, std::string_view name_space) const {
  UserRules all;
  std::vector<std::string> errors;
  for (const RuleResolver* resolver : resolvers_) {
    UserRules some = resolver->RulesFor(user, name_space);
    std::ranges::move(some.rules, std::back_inserter(all.rules));
    all.incomplete = all.incomplete || some.incomplete;
    if (!some.error.empty()) errors.push_back(std::move(some.error));
  }
  all.error = JoinErrors(errors);
  return all;
}

std::string JoinErrors(const std::vector<std::string>& errors) {
  std::vector<std::string> different;
  for (const std::string& error : errors) {
    if (std::ranges::find(different, error) == different.end()) different.push_back(error);
  }
  if (different.size() == 1) return different.front();
  return different.empty() ? "" : "[" + Join(different, ", ") + "]";
}

}  // namespace podium::apiserver
