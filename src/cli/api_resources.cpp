#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/server.h"
#include "cli/server_errors.h"
#include "cli/table_text.h"

namespace podium::cli {
namespace {

bool HasAll(const ServerResource& resource, std::string_view verbs) {
  return std::ranges::all_of(Words(verbs, ","),
                             [&](std::string_view verb) { return resource.HasVerb(verb); });
}

bool HasAllCategories(const ServerResource& resource, std::string_view categories) {
  return std::ranges::all_of(Words(categories, ","), [&](std::string_view category) {
    return std::ranges::find(resource.categories, category) != resource.categories.end();
  });
}

// Those of the preferred version of each group, and of others what only they have.
std::vector<const ServerResource*> Preferred(const ServerResources& resources) {
  std::vector<const ServerResource*> out;
  for (const ServerResource& each : resources.all()) {
    const bool known = std::ranges::any_of(out, [&](const ServerResource* other) {
      return other->group == each.group && other->plural == each.plural;
    });
    if (!known) out.push_back(&each);
  }
  return out;
}

void Sort(std::string_view by, std::vector<const ServerResource*>* resources) {
  const auto key = [&](const ServerResource* each) {
    if (by == "kind") return std::tuple(each->kind, each->group, each->plural);
    if (by == "name") return std::tuple(each->plural, each->group, each->kind);
    return std::tuple(each->group, each->plural, each->kind);
  };
  std::ranges::sort(*resources, {}, key);
}

std::string NamesOf(const std::vector<const ServerResource*>& resources) {
  std::string out;
  for (const ServerResource* each : resources) out += EscapedText(each->GroupResource()) + '\n';
  return out;
}

std::string TableOf(const std::vector<const ServerResource*>& resources, bool wide, bool headings) {
  TableText table;
  if (headings && !resources.empty()) {
    std::vector<std::string> row = {"NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"};
    if (wide) row.insert(row.end(), {"VERBS", "CATEGORIES"});
    table.AddRow(std::move(row));
  }
  for (const ServerResource* each : resources) {
    std::vector<std::string> row = {each->plural, Join(each->short_names, ","), each->ApiVersion(),
                                    each->namespaced ? "true" : "false", each->kind};
    if (wide) row.insert(row.end(), {Join(each->verbs, ","), Join(each->categories, ",")});
    for (std::string& cell : row) cell = EscapedText(cell);
    table.AddRow(std::move(row));
  }
  std::string out;
  table.Flush(&out);
  return out;
}

Outcome RunApiResources(const Invocation& invocation, const Streams& streams) {
  auto server = Server::Of(invocation, streams);
  if (!server.ok()) return ServerFailure(server.error());
  const auto resources = (*server)->Resources();
  if (!resources.ok()) return ServerFailure(resources.error());
  std::vector<const ServerResource*> shown = Preferred(**resources);
  std::erase_if(shown, [&](const ServerResource* each) {
    if (each->verbs.empty()) return true;
    if (invocation.Has("api-group") && each->group != invocation.Get("api-group")) return true;
    if (invocation.Has("namespaced") &&
        each->namespaced != (invocation.Get("namespaced") == "true")) {
      return true;
    }
    return !HasAll(*each, invocation.Get("verbs")) ||
           !HasAllCategories(*each, invocation.Get("categories"));
  });
  Sort(invocation.Get("sort-by"), &shown);
  const bool names = invocation.Get("output") == "name";
  Outcome outcome;
  outcome.out =
      names ? NamesOf(shown)
            : TableOf(shown, invocation.Get("output") == "wide", !invocation.Has("no-headers"));
  if (!(*resources)->missing().empty()) {
    outcome.status = kFailed;
    outcome.err = ErrorText((*resources)->missing());
  }
  return outcome;
}

Outcome RunApiVersions(const Invocation& invocation, const Streams& streams) {
  auto server = Server::Of(invocation, streams);
  if (!server.ok()) return ServerFailure(server.error());
  const auto resources = (*server)->Resources();
  if (!resources.ok()) return ServerFailure(resources.error());
  std::vector<std::string> versions = (*resources)->versions();
  std::ranges::sort(versions);
  Outcome outcome;
  for (const std::string& version : versions) outcome.out += EscapedText(version) + '\n';
  return outcome;
}

constexpr Option kOwnOptions[] = {
    {.name = "output",
     .letter = 'o',
     .value = "FORM",
     .help = "name: names alone; wide: verbs and categories too",
     .values = Values::kWords,
     .words = "name wide"},
    {.name = "api-group", .value = "GROUP", .help = "of this group; \"\" for the core one"},
    {.name = "namespaced",
     .value = "WHETHER",
     .help = "those that are in namespaces, or those that are not",
     .values = Values::kWords,
     .words = "true false",
     .implied = "true"},
    {.name = "verbs", .value = "VERB,...", .help = "those that know all of these"},
    {.name = "categories", .value = "NAME,...", .help = "those that are in all of these"},
    {.name = "sort-by",
     .value = "COLUMN",
     .help = "not by group and name",
     .values = Values::kWords,
     .words = "name kind"},
    {.name = "no-headers", .help = "no headings"},
};
constexpr auto kOptions = WithServerOptions(kOwnOptions);

}  // namespace

Command ApiResourcesCommand() {
  return {
      .name = "api-resources",
      .summary = "List the types of objects that the server has",
      .example =
          "  podium api-resources\n"
          "  podium api-resources --namespaced=false -o wide\n"
          "  podium api-resources --api-group=apps\n",
      .options = kOptions,
      .live = RunApiResources,
  };
}

Command ApiVersionsCommand() {
  return {
      .name = "api-versions",
      .summary = "List the groups and versions that the server has",
      .example = "  podium api-versions\n",
      .options = kServerOptions,
      .live = RunApiVersions,
  };
}

}  // namespace podium::cli
