#include "cli/selection.h"

#include <algorithm>
#include <set>
#include <utility>

#include "api/status.h"
#include "base/text.h"
#include "cli/chunks.h"
#include "cli/json_members.h"
#include "cli/server_errors.h"
#include "http/url.h"
#include "reflect/go_text.h"

namespace podium::cli {
namespace {

using reflect::JsonValue;

Error Usage(std::string message) { return {Code::kInvalidArgument, std::move(message)}; }

// Collects what arguments stand for.
class ArgumentReader {
 public:
  ArgumentReader(Server& server, const ServerResources& resources, const Invocation& invocation,
                 const SelectionRules& rules)
      : server_(server),
        resources_(resources),
        all_namespaces_(invocation.Has("all-namespaces")),
        selects_(rules.selects && (invocation.Has("selector") || invocation.Has("field-selector") ||
                                   (rules.all_selects && invocation.Has("all")))) {}

  // TYPE/NAME...
  Result<void> ReadPairs(const std::vector<std::string>& arguments) {
    for (const std::string& argument : arguments) {
      const std::vector<std::string_view> parts = Split(argument, '/');
      if (parts.size() > 2) {
        return Usage("arguments in resource/name form may not have more than one slash");
      }
      if (parts[0].empty() || parts[1].empty() || parts[0].find(',') != parts[0].npos) {
        return Usage("arguments in resource/name form must have a single resource and name");
      }
      if (selects_) {
        return Usage(
            "selectors and the all flag cannot be used when passing resource/name arguments");
      }
      TRY_VOID(CheckNames());
      types_.insert(std::string(parts[0]));
      TRY(const ServerResource* resource, resources_.Resolve(parts[0]));
      AddNamed(*resource, parts[1]);
    }
    out_.several_types = types_.size() > 1;
    return {};
  }

  // TYPE,TYPE NAME...
  Result<void> ReadTypes(const std::vector<std::string>& arguments) {
    std::vector<const ServerResource*> resources;
    const std::vector<std::string_view> words = Split(arguments[0], ',');
    for (const std::string_view word : words) {
      const auto category = resources_.OfCategory(word);
      if (category.empty()) {
        TRY(const ServerResource* resource, resources_.Resolve(word));
        resources.push_back(resource);
      } else {
        resources.insert(resources.end(), category.begin(), category.end());
        out_.several_types = true;
      }
    }
    out_.several_types = out_.several_types || words.size() > 1;
    if (arguments.size() > 1) TRY_VOID(CheckNames());
    std::set<const ServerResource*> seen;
    for (const ServerResource* resource : resources) {
      if (!seen.insert(resource).second) continue;
      for (size_t i = 1; i < arguments.size(); ++i) AddNamed(*resource, arguments[i]);
      if (arguments.size() == 1) {
        out_.items.push_back({.resource = resource, .namespace_ = NamespaceFor(*resource)});
      }
    }
    return {};
  }

  Selection Take() && { return std::move(out_); }

 private:
  Result<void> CheckNames() const {
    if (selects_) return Usage("name cannot be provided when a selector is specified");
    if (all_namespaces_) {
      return Usage("a resource cannot be retrieved by name across all namespaces");
    }
    return {};
  }

  std::string NamespaceFor(const ServerResource& resource) const {
    return resource.namespaced && !all_namespaces_ ? server_.namespace_() : std::string();
  }

  void AddNamed(const ServerResource& resource, std::string_view name) {
    out_.items.push_back(
        {.resource = &resource, .namespace_ = NamespaceFor(resource), .name = std::string(name)});
  }

  const Server& server_;
  const ServerResources& resources_;
  const bool all_namespaces_;
  const bool selects_;
  std::set<std::string> types_;
  Selection out_;
};

// All of them have a slash, or none.
Result<bool> HavePairs(const std::vector<std::string>& arguments) {
  const auto count = std::ranges::count_if(
      arguments, [](const std::string& argument) { return argument.find('/') != argument.npos; });
  if (count == 0) return false;
  if (static_cast<size_t>(count) == arguments.size()) return true;
  return Usage(
      "there is no need to specify a resource type as a separate argument when passing arguments "
      "in resource/name form (e.g. 'podium get resource/<resource_name>' instead of 'podium get "
      "resource resource/<resource_name>'");
}

bool AsksForFiles(const Invocation& invocation) {
  return invocation.Has("filename") || invocation.Has("kustomize");
}

}  // namespace

Result<Selection> Select(Server& server, const Invocation& invocation,
                         const std::vector<std::string>& arguments, const SelectionRules& rules) {
  if (AsksForFiles(invocation)) {
    TRY(Selection selection, SelectFiles(server, invocation, {.selects = rules.selects}));
    if (arguments.empty()) return selection;
    return Usage(
        "when paths, URLs, or stdin is provided as input, you may not specify a resource by "
        "arguments as well");
  }
  if (arguments.empty()) return Usage(rules.nothing);
  TRY(const ServerResources* resources, server.Resources());
  ArgumentReader reader(server, *resources, invocation, rules);
  TRY(const bool pairs, HavePairs(arguments));
  if (pairs) {
    TRY_VOID(reader.ReadPairs(arguments));
    return std::move(reader).Take();
  }
  const bool bounded = invocation.Has("all") || invocation.Has("selector") ||
                       invocation.Has("field-selector") || arguments.size() > 1;
  if (invocation.Has("all") &&
      (invocation.Has("selector") || (rules.all_selects && invocation.Has("field-selector")))) {
    return Usage("setting 'all' parameter but found a non empty selector. ");
  }
  TRY_VOID(reader.ReadTypes(arguments));
  if (!rules.type_alone && !bounded) {
    return Usage("resource(s) were provided, but no name was specified");
  }
  return std::move(reader).Take();
}

Error ListError(const Selected& item, const Invocation& invocation, const Error& error) {
  const api::meta::v1::Status* status = api::FindStatus(error);
  const bool told = status && (status->reason == "BadRequest" || status->reason == "NotFound");
  if (!item.name.empty() || !told) return error;
  const ServerResource& resource = *item.resource;
  const std::string what =
      reflect::GoQuoted(resource.group + "/" + resource.version + ", Resource=" + resource.plural);
  const std::string_view labels = invocation.Get("selector");
  const std::string_view fields = invocation.Get("field-selector");
  if (labels.empty() && fields.empty()) return WithPrefix(error, "Unable to list " + what + ": ");
  return WithPrefix(error, "Unable to find " + what + " that match label selector " +
                               reflect::GoQuoted(labels) + ", field selector " +
                               reflect::GoQuoted(fields) + ": ");
}

Error SourceError(const Selected& item, std::string_view doing, const Error& error) {
  if (item.source.empty()) return error;
  return WithPrefix(
      error, "error when " + std::string(doing) + " " + reflect::GoQuoted(item.source) + ": ");
}

Result<std::vector<Selected>> Listed(Server& server, const Invocation& invocation,
                                     const Selected& item) {
  if (!item.name.empty()) return std::vector<Selected>{item};
  std::vector<Selected> out;
  std::string more;
  do {
    ServerRequest request;
    TRY(request.path, item.resource->Path(item.namespace_, ""));
    request.query = ListQuery(invocation, more);
    auto list = server.AskJson(request);
    if (!list.ok()) return ListError(item, invocation, list.error());
    more = TextAt(*list, {"metadata", "continue"});
    for (const JsonValue& each : ElementsOf(*list, "items")) {
      Selected one = item;
      one.name = TextAt(each, {"metadata", "name"});
      one.namespace_ = TextAt(each, {"metadata", "namespace"});
      one.object = each;
      one.object.Set("kind", JsonValue::String(item.resource->kind));
      one.object.Set("apiVersion", JsonValue::String(item.resource->ApiVersion()));
      out.push_back(std::move(one));
    }
  } while (!more.empty());
  return out;
}

std::string ListQuery(const Invocation& invocation, std::string_view continue_token) {
  http::QueryParameters parameters;
  const auto add = [&](const char* name, std::string_view value) {
    if (!value.empty()) parameters.emplace_back(name, value);
  };
  if (!continue_token.empty()) add("continue", continue_token);
  add("fieldSelector", invocation.Get("field-selector"));
  add("labelSelector", invocation.Get("selector"));
  AddLimit(invocation, &parameters);
  return http::EncodeQuery(parameters);
}

}  // namespace podium::cli
