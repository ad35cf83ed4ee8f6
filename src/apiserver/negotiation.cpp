#include "apiserver/negotiation.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "api/status.h"
#include "base/text.h"
#include "http/headers.h"
#include "reflect/number_text.h"

namespace podium::apiserver {
namespace {

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kYamlType = "application/yaml";
constexpr std::string_view kProtobufType = "application/vnd.kubernetes.protobuf";
// In upstream's order, which a wildcard goes by.
constexpr std::array<std::pair<std::string_view, Media>, 3> kMedia = {
    {{kJsonType, Media::kJson}, {kYamlType, Media::kYaml}, {kProtobufType, Media::kProtobuf}}};

std::vector<std::string> MediaTypes() {
  return {std::string(kJsonType), std::string(kYamlType), std::string(kProtobufType)};
}
std::vector<std::string> StreamTypes() {
  return {std::string(kJsonType) + ";stream=watch", std::string(kProtobufType) + ";stream=watch"};
}

// One of the clauses that commas separate in Accept.
struct Clause {
  std::string_view type;        // "application/json", "*/*", "application/*"
  std::string_view parameters;  // behind the first semicolon
  double quality = 1;
  size_t order = 0;  // in the header

  // 0: names one type; 1: all of one kind; 2: all.
  int wildness() const {
    if (type.starts_with("*/")) return 2;
    return type.ends_with("/*") ? 1 : 0;
  }
  bool Matches(std::string_view media) const {
    if (type == media || type == "*/*") return true;
    return type.ends_with("/*") && media.starts_with(type.substr(0, type.size() - 1));
  }
};

// Calls visit(name, value) for each parameter that has both.
template <class Visit>
void ForEachParameter(std::string_view parameters, Visit visit) {
  while (!parameters.empty()) {
    const size_t end = parameters.find(';');
    const std::string_view one = parameters.substr(0, end);
    parameters = end == std::string_view::npos ? std::string_view() : parameters.substr(end + 1);
    const size_t equals = one.find('=');
    if (equals == std::string_view::npos || one.find('=', equals + 1) != std::string_view::npos) {
      continue;
    }
    visit(http::TrimBlanks(one.substr(0, equals)), http::TrimBlanks(one.substr(equals + 1)));
  }
}

std::vector<Clause> ReadAccept(std::string_view header) {
  std::vector<Clause> clauses;
  for (const std::string_view text : Split(header, ',')) {
    const size_t semicolon = text.find(';');
    Clause clause;
    clause.type = http::TrimBlanks(text.substr(0, semicolon));
    if (clause.type == "*") clause.type = "*/*";
    if (clause.type.find('/') == std::string_view::npos) continue;
    if (semicolon != std::string_view::npos) clause.parameters = text.substr(semicolon + 1);
    ForEachParameter(clause.parameters, [&](std::string_view name, std::string_view value) {
      if (name == "q") clause.quality = reflect::ReadFloat(value).value_or(1);
    });
    clause.order = clauses.size();
    clauses.push_back(clause);
  }
  std::ranges::sort(clauses, [](const Clause& a, const Clause& b) {
    if (a.quality != b.quality) return a.quality > b.quality;
    if (a.wildness() != b.wildness()) return a.wildness() < b.wildness();
    return a.order < b.order;
  });
  return clauses;
}

struct Wanted {
  std::string_view kind;
  std::string_view group;
  std::string_view version;
  bool converts = false;
  bool pretty = false;
  std::string_view stream;
  bool server_version = false;
};

Wanted ReadParameters(std::string_view parameters) {
  Wanted wanted;
  ForEachParameter(parameters, [&](std::string_view name, std::string_view value) {
    if (name == "as") wanted.kind = value;
    if (name == "g") wanted.group = value;
    if (name == "v") wanted.version = value;
    if (name == "as" || name == "g" || name == "v") wanted.converts = true;
    if (name == "pretty") wanted.pretty = value == "1";
    if (name == "stream") wanted.stream = value;
    if (name == "sv") wanted.server_version = !value.empty();
  });
  return wanted;
}

bool ReadView(const Wanted& wanted, OutputForm* form) {
  if (wanted.group != "meta.k8s.io") return false;
  form->v1beta1 = wanted.version == "v1beta1";
  if (!form->v1beta1 && wanted.version != "v1") return false;
  if (wanted.kind == "Table") form->view = View::kTable;
  if (wanted.kind == "PartialObjectMetadata") form->view = View::kPartialMetadata;
  if (wanted.kind == "PartialObjectMetadataList") form->view = View::kPartialMetadataList;
  return form->view != View::kObject;
}

// Whether the endpoint can serve the clause in this media type, and how.
bool Serves(const Clause& clause, Media media, const OutputRules& rules, OutputForm* form) {
  const Wanted wanted = ReadParameters(clause.parameters);
  *form = {.media = media, .pretty = wanted.pretty};
  const bool streams = wanted.stream == "watch" && media != Media::kYaml;
  if (wanted.server_version || (!wanted.stream.empty() && !streams)) return false;
  if (!wanted.converts) return media != Media::kProtobuf || rules.protobuf;
  if (!ReadView(wanted, form)) return false;
  return form->view == View::kTable ? rules.table && media != Media::kProtobuf : rules.partial;
}

// The router's own check: some clause names a type in full, or anything will do.
bool IsAcceptable(std::string_view accept) {
  return std::ranges::any_of(Split(accept, ','), [](std::string_view text) {
    const std::string_view type = http::TrimBlanks(text.substr(0, text.find(';')));
    return type == "*/*" ||
           std::ranges::any_of(kMedia, [&](const auto& media) { return media.first == type; });
  });
}

Error NoRepresentation(const OutputRules& rules) {
  std::vector<std::string> available = MediaTypes();
  if (rules.streams) std::ranges::move(StreamTypes(), std::back_inserter(available));
  api::meta::v1::Status status = api::StatusOf(api::NotAcceptableError(
      "406: Not Acceptable\n\nAvailable representations: " + Join(available, ", ")));
  status.details.ensure();
  return api::StatusError(std::move(status));
}

// For people: browsers and the like, unless ?pretty says otherwise.
bool WantsPretty(const Call& call) {
  if (const std::string_view pretty = QueryValue(call.query, "pretty"); !pretty.empty()) {
    for (const std::string_view yes : {"1", "t", "T", "true", "TRUE", "True"}) {
      if (pretty == yes) return true;
    }
    return false;
  }
  const std::string_view agent = call.Header("User-Agent");
  return agent.starts_with("curl") || agent.starts_with("Wget") || agent.starts_with("Mozilla/5.0");
}

bool Choose(std::string_view accept, const OutputRules& rules, OutputForm* form) {
  for (const Clause& clause : ReadAccept(accept)) {
    for (const auto& [type, media] : kMedia) {
      if (clause.Matches(type) && Serves(clause, media, rules, form)) return true;
    }
  }
  return false;
}

}  // namespace

OutputRules RulesOf(const ServedResource& resource) {
  // ComponentStatuses are shown, though not stored.
  const bool shown = resource.HasVerb("get");
  return {.table = shown,
          .partial = true,
          .protobuf = resource.builtin != nullptr && !resource.type->has(reflect::kNoProto),
          .streams = false};
}

Result<OutputForm> NegotiateOutput(const Call& call, const OutputRules& rules) {
  const std::string_view accept = call.Header("Accept");
  OutputForm form;
  // What most clients say, without a look at its parts.
  if (!accept.empty() && accept != kJsonType && accept != "*/*") {
    if (!IsAcceptable(accept)) return NoRepresentation(rules);
    if (!Choose(accept, rules, &form)) return api::NotAcceptableError(MediaTypes());
  }
  form.pretty = form.media == Media::kJson && (form.pretty || WantsPretty(call));
  return form;
}

Result<OutputForm> NegotiateStream(const Call& call, const OutputRules& rules) {
  TRY(OutputForm form, NegotiateOutput(call, rules));
  if (form.media == Media::kYaml) return api::NotAcceptableError(StreamTypes());
  form.pretty = false;
  return form;
}

Result<Media> NegotiateInput(std::string_view content_type, bool protobuf) {
  const std::string type =
      LowerCase(http::TrimBlanks(content_type.substr(0, content_type.find(';'))));
  if (content_type.empty()) return Media::kJson;
  for (const auto& [name, media] : kMedia) {
    if (type == name && (protobuf || media != Media::kProtobuf)) return media;
  }
  std::vector<std::string> accepted = MediaTypes();
  if (!protobuf) accepted.pop_back();
  return api::UnsupportedMediaTypeError(accepted);
}

std::string_view MediaTypeOf(Media media) { return kMedia[static_cast<size_t>(media)].first; }

std::string_view ViewVersion(const OutputForm& form) {
  return form.v1beta1 ? "meta.k8s.io/v1beta1" : "meta.k8s.io/v1";
}

}  // namespace podium::apiserver
