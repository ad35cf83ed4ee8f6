#include "apiserver/request_info.h"

#include <algorithm>
#include <span>
#include <utility>

#include "api/fields.h"
#include "api/names.h"
#include "base/text.h"

namespace podium::apiserver {
namespace {

using Parts = std::span<const std::string_view>;

// Without the slashes at both ends; empty parts between them stay, as upstream's.
std::vector<std::string_view> SplitPath(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  std::vector<std::string_view> parts;
  if (path.empty()) return parts;
  parts.reserve(8);
  size_t begin = 0;
  for (size_t slash = path.find('/'); slash != path.npos; slash = path.find('/', begin)) {
    parts.push_back(path.substr(begin, slash - begin));
    begin = slash + 1;
  }
  parts.push_back(path.substr(begin));
  return parts;
}

std::string_view VerbOfMethod(std::string_view method) {
  if (method == "POST") return "create";
  if (method == "GET" || method == "HEAD") return "get";
  if (method == "PUT") return "update";
  if (method == "PATCH") return "patch";
  if (method == "DELETE") return "delete";
  return "";
}

// What a path that is about no resource is asked with.
std::string_view LowerMethod(std::string_view method) {
  static constexpr std::pair<std::string_view, std::string_view> kMethods[] = {
      {"GET", "get"},         {"HEAD", "head"},       {"POST", "post"},
      {"PUT", "put"},         {"PATCH", "patch"},     {"DELETE", "delete"},
      {"OPTIONS", "options"}, {"CONNECT", "connect"}, {"TRACE", "trace"},
  };
  for (const auto& [upper, lower] : kMethods) {
    if (method == upper) return lower;
  }
  return method;
}

void ReadNamespace(Parts* parts, RequestInfo* info) {
  if (parts->empty() || parts->front() != "namespaces" || parts->size() < 2) return;
  info->namespace_ = (*parts)[1];
  // Below a namespace stand its resources, but for what is its own.
  if (parts->size() > 2 && (*parts)[2] != "status" && (*parts)[2] != "finalize") {
    *parts = parts->subspan(2);
  }
}

bool IsTrue(std::string_view text) {
  // As upstream converts a parameter to a bool: it is there, and neither of these.
  return text != "0" && !EqualsIgnoringCase(text, "false");
}

// A get without a name is a list or a watch; a delete without one is of many.
void ReadCollectionVerb(const http::QueryParameters& query, RequestInfo* info) {
  if (!info->name.empty()) return;
  if (info->verb == "delete") info->verb = "deletecollection";
  if (info->verb != "get" && info->verb != "watch") return;
  if (info->verb == "get") {
    const auto watch = std::ranges::find(query, "watch", &http::QueryParameters::value_type::first);
    info->verb = watch != query.end() && IsTrue(watch->second) ? "watch" : "list";
  }
  const std::string_view selector = QueryValue(query, "fieldSelector");
  if (selector.empty()) return;
  const auto parsed = api::fields::Selector::Parse(selector);
  if (!parsed.ok()) return;
  auto name = parsed->RequiresExactMatch("metadata.name");
  if (name && !name->empty() && api::NameIsPathSegment(*name, false).empty()) {
    info->selected_name = *std::move(name);
  }
}

}  // namespace

std::string_view QueryValue(const http::QueryParameters& query, std::string_view name) {
  const auto found = std::ranges::find(query, name, &http::QueryParameters::value_type::first);
  return found != query.end() ? std::string_view(found->second) : std::string_view();
}

Result<RequestInfo> ReadRequestInfo(std::string_view method, std::string_view path,
                                    const http::QueryParameters& query) {
  RequestInfo info;
  info.path = path;
  info.verb = LowerMethod(method);
  const std::vector<std::string_view> all = SplitPath(path);
  Parts parts(all);
  if (parts.size() < 3) return info;
  if (parts[0] != "api" && parts[0] != "apis") return info;
  const bool has_group = parts[0] == "apis";
  if (has_group && parts.size() < 4) return info;
  info.is_resource = true;
  info.prefix = parts[0];
  if (has_group) info.group = parts[1];
  parts = parts.subspan(has_group ? 2 : 1);
  info.version = parts[0];
  parts = parts.subspan(1);

  if (parts[0] == "watch" || parts[0] == "proxy") {
    if (parts.size() < 2) {
      return Error(Code::kInvalidArgument,
                   "unable to determine kind and namespace from url, " + std::string(path));
    }
    info.verb = parts[0];
    info.old_watch_path = parts[0] == "watch";
    parts = parts.subspan(1);
  } else {
    info.verb = VerbOfMethod(method);
  }
  ReadNamespace(&parts, &info);
  info.parts.assign(parts.begin(), parts.end());
  if (parts.size() >= 3 && info.verb != "proxy") info.subresource = parts[2];
  if (parts.size() >= 2) info.name = parts[1];
  if (!parts.empty()) info.resource = parts[0];
  ReadCollectionVerb(query, &info);
  return info;
}

}  // namespace podium::apiserver
