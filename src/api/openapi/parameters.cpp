#include "api/openapi/parameters.h"

#include <algorithm>
#include <cstdlib>

#include "api/descriptions.h"

namespace podium::api::openapi {
namespace {

struct Row {
  std::string_view name;
  std::string_view type;
  std::string_view description;
};

constexpr Row kRows[] = {
    {"allowWatchBookmarks", "boolean",
     "Lets a watch send bookmarks: events that tell the newest resourceVersion alone."},
    {"continue", "string", "Where to go on: what the page before said in metadata.continue."},
    {"dryRun", "string", "All: do everything but store the result."},
    {"fieldManager", "string",
     "Who makes the change, up to 128 printable characters; needed for apply patches."},
    {"fieldSelector", "string", "Takes only objects whose fields have these values."},
    {"fieldValidation", "string",
     "What to do about unknown and repeated fields: Ignore, Warn (the default) or Strict."},
    {"force", "boolean", "Lets an apply patch take over fields that others manage."},
    {"gracePeriodSeconds", "integer",
     "Seconds to end in, 0 for at once; the kind's default when unset."},
    {"ignoreStoreReadErrorWithClusterBreakingPotential", "boolean",
     "Deletes an object that cannot be read any more, without its finalizers."},
    {"labelSelector", "string", "Takes only objects whose labels fit."},
    {"limit", "integer", "Most objects of a page; there may be fewer."},
    {"orphanDependents", "boolean", "Former form of propagationPolicy: true is Orphan."},
    {"pretty", "string", "Prints JSON with line breaks if true."},
    {"propagationPolicy", "string",
     "What happens to dependents: Orphan, Background or Foreground."},
    {"resourceVersion", "string",
     "How new the answer must be: unset for the newest, 0 for any, else at least this one."},
    {"resourceVersionMatch", "string",
     "How to take resourceVersion in lists: Exact or NotOlderThan."},
    {"sendInitialEvents", "boolean",
     "Lets a watch begin with an event for each object that there is."},
    {"timeoutSeconds", "integer", "Ends a list or watch after this time, whatever happens."},
    {"watch", "boolean", "Answers with a stream of changes in place of a list."},
};

std::string_view TypeOf(const reflect::Field& field) {
  if (field.shape == reflect::Shape::kMap) return {};
  switch (field.kind) {
    case reflect::Kind::kBool:
      return "boolean";
    case reflect::Kind::kInt32:
    case reflect::Kind::kInt64:
      return "integer";
    case reflect::Kind::kString:
      return "string";
    default:
      return {};
  }
}

}  // namespace

Parameter QueryParameter(std::string_view name) {
  const auto* row = std::ranges::find(kRows, name, &Row::name);
  if (row == std::end(kRows)) std::abort();
  return {std::string(name), "query", row->type, std::string(row->description)};
}

std::vector<Parameter> QueryParameters(std::initializer_list<std::string_view> names) {
  std::vector<Parameter> out;
  for (const std::string_view name : names) out.push_back(QueryParameter(name));
  return out;
}

Parameter PathParameter(std::string_view name, std::string_view description) {
  return {std::string(name), "path", "string", std::string(description)};
}

std::vector<Parameter> OptionParameters(const reflect::Type& type) {
  std::vector<Parameter> out;
  for (const reflect::Field& field : type.fields) {
    const std::string_view kind = TypeOf(field);
    if (kind.empty() || field.name() == "kind" || field.name() == "apiVersion") continue;
    out.push_back(
        {std::string(field.name()), "query", kind, std::string(DescriptionOf(type, field))});
  }
  return out;
}

}  // namespace podium::api::openapi
