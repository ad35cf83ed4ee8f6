#include "apiserver/authorization/server_authorizer.h"

namespace podium::apiserver {

AuthorizationQuestion QuestionOf(const User& user, const RequestInfo& info,
                                 const http::QueryParameters& query) {
  if (!info.is_resource) {
    return {.user = user, .verb = info.verb, .is_resource = false, .path = info.path};
  }
  const bool of_many =
      info.verb == "list" || info.verb == "watch" || info.verb == "deletecollection";
  return {.user = user,
          .verb = info.verb,
          .namespace_ = info.namespace_,
          .group = info.group,
          .version = info.version,
          .resource = info.resource,
          .subresource = info.subresource,
          .name = info.asked_name(),
          .path = info.path,
          .field_selector = of_many ? QueryValue(query, "fieldSelector") : std::string_view(),
          .label_selector = of_many ? QueryValue(query, "labelSelector") : std::string_view()};
}

}  // namespace podium::apiserver
