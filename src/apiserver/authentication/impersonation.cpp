#include "apiserver/authentication/impersonation.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "api/names.h"
#include "api/status.h"
#include "apiserver/authentication/authenticator.h"
#include "apiserver/authentication/known_user.h"
#include "apiserver/authorization/forbidden.h"
#include "base/text.h"
#include "http/url.h"
#include "reflect/go_text.h"
#include "reflect/utf8.h"

namespace podium::apiserver {
namespace {

constexpr std::string_view kUserHeader = "Impersonate-User";
constexpr std::string_view kGroupHeader = "Impersonate-Group";
constexpr std::string_view kUidHeader = "Impersonate-Uid";
constexpr std::string_view kExtraPrefix = "impersonate-extra-";
constexpr std::string_view kAuthentication = "authentication.k8s.io";

// The key behind the prefix in lower case, "" for another header. One whose escapes are wrong
// counts as it stands.
std::optional<std::string> ExtraKey(std::string_view header) {
  std::string name = LowerCase(header);
  if (!name.starts_with(kExtraPrefix)) return std::nullopt;
  name.erase(0, kExtraPrefix.size());
  auto decoded = http::PercentDecode(name);
  return decoded.ok() ? *std::move(decoded) : std::move(name);
}

// As Go's %#v prints what was wanted.
std::string GoText(const User& user) {
  const auto list = [](const std::vector<std::string>& texts) {
    return texts.empty() ? std::string("[]string(nil)")
                         : "[]string{" + Join(texts, ", ", reflect::GoQuoted) + "}";
  };
  std::string extra = "map[string][]string(nil)";
  if (!user.extra.empty()) {
    extra = "map[string][]string{" +
            Join(user.extra, ", ",
                 [&](const auto& entry) {
                   return reflect::GoQuoted(entry.first) + ":" + list(entry.second);
                 }) +
            "}";
  }
  return fmt::format("&user.DefaultInfo{{Name:\"\", UID:{}, Groups:{}, Extra:{}}}",
                     reflect::GoQuoted(user.uid), list(user.groups), extra);
}

// "" for what is no node's user.
std::string_view NodeOf(std::string_view user) {
  if (!user.starts_with(kNodeUserPrefix)) return "";
  const std::string_view name = user.substr(kNodeUserPrefix.size());
  return api::IsDNS1123Subdomain(name).empty() ? name : "";
}

bool IsServiceAccount(std::string_view user) {
  std::string_view name_space;
  std::string_view name;
  return SplitServiceAccountName(user, &name_space, &name);
}

std::string_view OnlyValue(const User& user, std::string_view key) {
  const auto found = user.extra.find(std::string(key));
  return found != user.extra.end() && found->second.size() == 1 ? std::string_view(found->second[0])
                                                                : std::string_view();
}

bool HasNameAlone(const User& user) {
  return user.uid.empty() && user.groups.empty() && user.extra.empty();
}

bool FitsAssociatedNode(const User& wanted, const User& requestor) {
  const std::string_view node = NodeOf(wanted.name);
  return HasNameAlone(wanted) && !node.empty() && IsServiceAccount(requestor.name) &&
         !OnlyValue(requestor, kPodNameKey).empty() && OnlyValue(requestor, kNodeNameKey) == node;
}
bool FitsArbitraryNode(const User& wanted, const User& /*requestor*/) {
  return HasNameAlone(wanted) && !NodeOf(wanted.name).empty();
}
bool FitsServiceAccount(const User& wanted, const User& /*requestor*/) {
  return HasNameAlone(wanted) && IsServiceAccount(wanted.name);
}
bool FitsUserInfo(const User& wanted, const User& /*requestor*/) {
  return NodeOf(wanted.name).empty() && !IsServiceAccount(wanted.name);
}
bool FitsAll(const User& /*wanted*/, const User& /*requestor*/) { return true; }

struct Way {
  std::string_view name;  // "" for the legacy one
  bool (*fits)(const User& wanted, const User& requestor);
};
constexpr std::string_view kAssociatedNode = "associated-node";
constexpr Way kWays[] = {
    {kAssociatedNode, FitsAssociatedNode},
    {"arbitrary-node", FitsArbitraryNode},
    {"serviceaccount", FitsServiceAccount},
    {"user-info", FitsUserInfo},
    {"", FitsAll},
};

Result<void> Ask(const Authorizer& authorizer, const AuthorizationQuestion& question) {
  const Authorization answer = authorizer.Authorize(question);
  if (answer.decision == Decision::kAllow) return {};
  std::string why = answer.evaluation_error;
  if (!why.empty() && !answer.reason.empty()) why += ": ";
  return ForbiddenQuestionError(question, why + answer.reason);
}

// One way's questions.
class Attempt {
 public:
  Attempt(const Way& way, const User& wanted, const AuthorizationQuestion& request,
          const Authorizer& authorizer)
      : way_(way),
        wanted_(wanted),
        request_(request),
        authorizer_(authorizer),
        verb_(way.name.empty() ? "impersonate" : fmt::format("impersonate:{}", way.name)) {}

  Result<Impersonated> Run() {
    // Upstream asks for a service account on its own node without what tells its pods apart, and
    // for every node's name: what is allowed to one of its pods is to all.
    User bare = request_.user;
    std::vector<std::string> keys;
    keys.reserve(bare.extra.size());
    for (const auto& [key, values] : bare.extra) keys.push_back(key);
    bare.extra = {{"authentication.kubernetes.io/associated-node-keys", std::move(keys)}};
    const User& requestor = way_.name == kAssociatedNode ? bare : request_.user;
    if (!way_.name.empty()) TRY_VOID(AskForRequest(requestor));
    Impersonated result = {.user = wanted_, .constraint = way_.name.empty() ? "" : verb_};
    TRY_VOID(AskForName(requestor, &result.user));
    TRY_VOID(AskForRest(requestor));
    EnsureGroup(result.user.name == kAnonymous ? kUnauthenticatedGroup : kAuthenticatedGroup,
                &result.user);
    return result;
  }

 private:
  static void EnsureGroup(std::string_view group, User* user) {
    const bool outside = user->InGroup(kUnauthenticatedGroup);
    if (!user->InGroup(group) && !outside) user->groups.emplace_back(group);
  }

  Result<void> AskForRequest(const User& requestor) const {
    const std::string verb = fmt::format("impersonate-on:{}:{}", way_.name, request_.verb);
    return Ask(authorizer_, {.user = requestor,
                             .verb = verb,
                             .is_resource = request_.is_resource,
                             .namespace_ = request_.namespace_,
                             .group = request_.group,
                             .version = request_.version,
                             .resource = request_.resource,
                             .subresource = request_.subresource,
                             .name = request_.name,
                             .path = request_.path,
                             .field_selector = request_.field_selector,
                             .label_selector = request_.label_selector});
  }

  AuthorizationQuestion Question(const User& requestor, std::string_view group,
                                 std::string_view resource, std::string_view name) const {
    return {.user = requestor,
            .verb = verb_,
            .group = group,
            .version = "v1",
            .resource = resource,
            .name = name};
  }

  // Users, groups and accounts are of core in the legacy way, and of authentication.k8s.io in the
  // others.
  std::string_view group() const { return way_.name.empty() ? "" : kAuthentication; }

  Result<void> AskForName(const User& requestor, User* user) const {
    AuthorizationQuestion question = Question(requestor, group(), "users", wanted_.name);
    if (const std::string_view node = NodeOf(wanted_.name); !way_.name.empty() && !node.empty()) {
      question.resource = "nodes";
      question.name = way_.name == kAssociatedNode ? "*" : node;
      if (wanted_.groups.empty()) user->groups = {std::string(kNodesGroup)};
    }
    std::string_view name_space;
    std::string_view name;
    if (SplitServiceAccountName(wanted_.name, &name_space, &name)) {
      question.resource = "serviceaccounts";
      question.namespace_ = name_space;
      question.name = name;
      if (wanted_.groups.empty()) user->groups = ServiceAccountGroups(name_space);
    }
    return Ask(authorizer_, question);
  }

  Result<void> AskForRest(const User& requestor) const {
    if (!wanted_.uid.empty()) {
      TRY_VOID(Ask(authorizer_, Question(requestor, kAuthentication, "uids", wanted_.uid)));
    }
    for (const std::string& name : wanted_.groups) {
      TRY_VOID(Ask(authorizer_, Question(requestor, group(), "groups", name)));
    }
    for (const auto& [key, values] : wanted_.extra) {
      for (const std::string& value : values) {
        AuthorizationQuestion question = Question(requestor, kAuthentication, "userextras", value);
        question.subresource = key;
        TRY_VOID(Ask(authorizer_, question));
      }
    }
    return {};
  }

  const Way& way_;
  const User& wanted_;
  const AuthorizationQuestion& request_;
  const Authorizer& authorizer_;
  const std::string verb_;
};

}  // namespace

Result<std::optional<User>> WantedUser(const http::Headers& headers) {
  // Who writes something may be kept with it, as text.
  User wanted = {.name = reflect::ValidUtf8(headers.Get(kUserHeader)),
                 .uid = reflect::ValidUtf8(headers.Get(kUidHeader))};
  for (const http::Headers::Field& field : headers.fields()) {
    if (EqualsIgnoringCase(field.name, kGroupHeader)) {
      wanted.groups.push_back(reflect::ValidUtf8(field.value));
    }
    if (const auto key = ExtraKey(field.name)) {
      wanted.extra[reflect::ValidUtf8(*key)].push_back(reflect::ValidUtf8(field.value));
    }
  }
  if (!wanted.name.empty()) return std::optional(std::move(wanted));
  if (HasNameAlone(wanted)) return std::optional<User>();
  return api::BadRequestError(
      fmt::format("requested {} without impersonating a user name", GoText(wanted)));
}

void RemoveImpersonation(http::Headers* headers) {
  std::vector<std::string> names;
  for (const http::Headers::Field& field : headers->fields()) {
    if (LowerCase(field.name).starts_with("impersonate-")) names.push_back(field.name);
  }
  for (const std::string& name : names) headers->Remove(name);
}

Result<Impersonated> Impersonate(const User& wanted, const AuthorizationQuestion& request,
                                 const Authorizer& authorizer) {
  std::optional<Error> first;
  for (const Way& way : kWays) {
    if (!way.fits(wanted, request.user)) continue;
    auto result = Attempt(way, wanted, request, authorizer).Run();
    if (result.ok()) return result;
    if (!first) first = std::move(result).error();
  }
  return *std::move(first);  // the last way fits everybody
}

}  // namespace podium::apiserver
