#include "apiserver/authorization/forbidden.h"

#include <fmt/format.h>

#include <string>

#include "api/status.h"
#include "reflect/go_text.h"

namespace podium::apiserver {
namespace {

using reflect::GoQuoted;

std::string Describe(const AuthorizationQuestion& question) {
  const std::string user = GoQuoted(question.user.name);
  if (!question.is_resource) {
    return fmt::format("User {} cannot {} path {}", user, question.verb, GoQuoted(question.path));
  }
  std::string resource(question.resource);
  if (!question.subresource.empty()) resource.append("/").append(question.subresource);
  const std::string what = fmt::format("User {} cannot {} resource {} in API group {}", user,
                                       question.verb, GoQuoted(resource), GoQuoted(question.group));
  if (question.namespace_.empty()) return what + " at the cluster scope";
  return fmt::format("{} in the namespace {}", what, GoQuoted(question.namespace_));
}

// Browsers may take the answer for a page.
std::string Escaped(std::string_view text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '&') {
      out += "&amp;";
    } else if (letter == '<') {
      out += "&lt;";
    } else if (letter == '>') {
      out += "&gt;";
    } else {
      out += letter;
    }
  }
  return out;
}

}  // namespace

Error ForbiddenQuestionError(const AuthorizationQuestion& question, std::string_view reason) {
  std::string why = Escaped(Describe(question));
  if (!reason.empty()) why.append(": ").append(reason);
  return api::ForbiddenError({.group = question.group, .resource = question.resource},
                             question.name, why);
}

}  // namespace podium::apiserver
