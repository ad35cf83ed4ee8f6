#include "cli/check.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "api/defaults.h"
#include "api/scheme.h"
#include "api/types/meta_v1.h"
#include "api/validation/validation.h"
#include "cli/kinds.h"
#include "cli/text.h"
#include "reflect/field_path.h"
#include "reflect/go_text.h"
#include "reflect/json.h"
#include "reflect/json_locator.h"
#include "reflect/json_value.h"

namespace podium::cli {
namespace {

using api::meta::v1::ObjectMeta;
using api::meta::v1::PartialObjectMetadata;
using reflect::JsonLocator;
using reflect::JsonPlace;
using reflect::Problem;
using reflect::Type;

// Errors of one object that are told; as many as of decoding. Finding the place of each takes time.
constexpr size_t kMaxErrors = 100;

// The namespace of objects that name none, as kubectl has it.
constexpr std::string_view kDefaultNamespace = "default";

const char* ReasonOf(Problem::Kind kind) {
  switch (kind) {
    case Problem::Kind::kSyntax:
      return "Syntax";
    case Problem::Kind::kLimit:
      return "Limit";
    case Problem::Kind::kUnknownField:
      return "UnknownField";
    case Problem::Kind::kDuplicateField:
      return "DuplicateField";
    case Problem::Kind::kInvalidUtf8:
      return "InvalidUTF8";
    case Problem::Kind::kWrongType:
      return "FieldValueTypeInvalid";
    case Problem::Kind::kInvalidValue:
      return "FieldValueInvalid";
  }
  return "";
}

bool EndsDecoding(const Problem& problem) {
  return problem.kind == Problem::Kind::kSyntax || problem.kind == Problem::Kind::kLimit;
}

// The value was not taken over, so that validation sees a default-made one.
bool LosesValue(const Problem& problem) {
  return problem.kind == Problem::Kind::kWrongType || problem.kind == Problem::Kind::kInvalidValue;
}

// The field that an unknown one was most likely meant to be; empty for other problems.
std::string_view MeantBy(const Type& type, const Problem& problem) {
  if (problem.kind != Problem::Kind::kUnknownField) return {};
  return NearestField(type, problem.path);
}

std::string Joined(const std::string& prefix, const std::string& path) {
  if (prefix.empty() || path.empty()) return prefix + path;
  return prefix + (path.starts_with('[') ? "" : ".") + path;
}

// What a server fills in before it validates a new object; see ValidateCreate.
void FillInMetadata(const Type& type, void* object) {
  const reflect::Field* field = type.Find("metadata");
  if (!field || field->type != &reflect::TypeOf<ObjectMeta>()) return;
  auto& metadata = *static_cast<ObjectMeta*>(field->at(object));
  const api::Resource* resource =
      api::FindResourceByKind(type.package->group, type.package->version, type.name);
  if (resource && resource->namespaced && metadata.namespace_.empty()) {
    metadata.namespace_ = kDefaultNamespace;
  }
  if (metadata.name.empty() && !metadata.generateName.empty()) {
    constexpr size_t kLongestBase = 58;  // of 63, with five characters to come
    metadata.name = metadata.generateName.substr(0, kLongestBase) + "xxxxx";
  }
}

// The rules of labels and their like name the map, not the entry: its key, when just one entry has
// the value at fault for its key or value.
std::optional<std::string> EntryAtFault(std::string_view json, const JsonPlace& map,
                                        const api::field::Error& error) {
  constexpr size_t kLargest = size_t{1} << 20;  // read again for each error
  if (json[map.value] != '{' || !error.bad_value.starts_with('"') ||
      map.end - map.value > kLargest) {
    return std::nullopt;
  }
  const auto parsed = reflect::ParseJson(json.substr(map.value, map.end - map.value));
  if (!parsed.ok() || !parsed->is_object()) return std::nullopt;
  const auto is_at_fault = [&](std::string_view text) {
    std::string quoted;
    reflect::AppendGoQuoted(text, &quoted);
    return quoted == error.bad_value;
  };
  std::optional<std::string> found;
  for (const auto& [key, value] : parsed->object()) {
    if (!is_at_fault(key) && !(value.is_string() && is_at_fault(value.string()))) continue;
    if (found) return std::nullopt;
    found = key;
  }
  return found;
}

// Checks one document, or one item of a List, which is a part of its text.
class Checker {
 public:
  Checker(const Document& document, const CheckOptions& options, CheckResult* result)
      : document_(document), options_(options), result_(*result) {}

  void CheckWhole() {
    if (!document_.problem.empty()) {
      Add({.position = document_.problem_position,
           .reason = "Syntax",
           .message = document_.problem});
      return;
    }
    CheckPart(document_.json, 0, {});
    AddYamlDuplicates();
  }

 private:
  // A part of the document's JSON: where it begins, and its path.
  struct Part {
    std::string_view json{};
    size_t offset = 0;
    std::string path{};
    ObjectName name{};
    bool generated_name = false;
  };

  void CheckPart(std::string_view json, size_t offset, std::string path) {
    Part part{.json = json, .offset = offset, .path = std::move(path)};
    if (!ReadName(&part)) return;
    if (part.name.api_version.empty() || part.name.kind.empty()) {
      ++result_.objects;
      for (const char* field : {"apiVersion", "kind"}) {
        const bool missing = (field[0] == 'k' ? part.name.kind : part.name.api_version).empty();
        if (missing) AddAt(part, field, "FieldValueRequired", "Required value");
      }
      return;
    }
    const Type* type = api::FindType(part.name.api_version, part.name.kind);
    if (!type) {
      AddUnknownKind(part);
    } else if (type == &reflect::TypeOf<api::meta::v1::List>()) {
      CheckList(part);
    } else {
      CheckObject(part, *type);
    }
  }

  // Reads what the part says of itself. False when its kind cannot be read, which is then a
  // finding.
  bool ReadName(Part* part) {
    PartialObjectMetadata header;
    for (const Problem& problem : reflect::DecodeJson(
             part->json, reflect::TypeOf<PartialObjectMetadata>(), &header, {.strict = false})) {
      const bool says_nothing =
          problem.kind == Problem::Kind::kWrongType &&
          (problem.path.empty() || problem.path == "apiVersion" || problem.path == "kind");
      if (EndsDecoding(problem) || says_nothing) {
        ++result_.objects;
        AddProblem(*part, problem, {});
        return false;
      }
    }
    part->name = {header.apiVersion, header.kind, header.metadata.namespace_, header.metadata.name};
    part->generated_name = header.metadata.name.empty();
    if (part->generated_name) part->name.name = header.metadata.generateName;
    return true;
  }

  void CheckList(const Part& part) {
    api::meta::v1::List list;
    const Type& type = reflect::TypeOf<api::meta::v1::List>();
    AddProblems(part, type, reflect::DecodeJson(part.json, type, &list));
    const JsonLocator locator(part.json);
    for (size_t i = 0; i < list.items.size(); ++i) {
      const std::string path = "items[" + std::to_string(i) + "]";
      const JsonPlace place = locator.Locate(path);
      if (!place.exact) continue;
      if (!part.path.empty()) {
        ++result_.objects;
        AddAt(part, path, "FieldValueInvalid", "a List within a List");
        return;
      }
      CheckPart(part.json.substr(place.value, place.end - place.value), part.offset + place.value,
                path);
    }
  }

  void CheckObject(const Part& part, const Type& type) {
    reflect::AnyObject object(type);
    const std::vector<Problem> problems = reflect::DecodeJson(part.json, type, object.get());
    AddProblems(part, type, problems);
    if (type.has(reflect::kListKind)) {
      ValidateItems(part, type, &object, problems);
      return;
    }
    ++result_.objects;
    if (!options_.rules || !WasRead(problems)) return;
    api::SetDefaults(type, object.get(), {});
    FillInMetadata(type, object.get());
    AddErrors(part, type, {}, problems, api::ValidateCreate(type, object.get()));
  }

  // Whether decoding came to the end, so that what is missing is not in the text.
  static bool WasRead(const std::vector<Problem>& problems) {
    return problems.size() < reflect::DecodeOptions().max_problems &&
           std::ranges::none_of(problems, EndsDecoding);
  }

  // Of a list of one kind: PodList.
  void ValidateItems(const Part& part, const Type& type, reflect::AnyObject* list,
                     const std::vector<Problem>& problems) {
    const reflect::Field* items = type.Find("items");
    if (!items || items->shape != reflect::Shape::kList || !items->type) return;
    const reflect::ListOps& ops = items->list();
    void* storage = items->at(list->get());
    const size_t size = ops.size(storage);
    result_.objects += size;
    if (!options_.rules || !WasRead(problems)) return;
    api::SetDefaults(type, list->get(), {});
    auto* item = static_cast<std::byte*>(ops.data(storage));
    for (size_t i = 0; i < size; ++i, item += ops.stride) {
      FillInMetadata(*items->type, item);
      AddErrors(part, type, "items[" + std::to_string(i) + "]", problems,
                api::ValidateCreate(*items->type, item));
    }
  }

  void Add(Finding finding) { result_.findings.push_back(std::move(finding)); }

  void AddAt(const Part& part, const std::string& path, const char* reason, std::string message) {
    Add({.position = PositionOf(part, JsonLocator(part.json).Locate(path).best()),
         .object = part.name,
         .path = Joined(part.path, path),
         .reason = reason,
         .message = std::move(message)});
  }

  void AddProblems(const Part& part, const Type& type, const std::vector<Problem>& problems) {
    for (const Problem& problem : problems) {
      AddProblem(part, problem, DidYouMean(MeantBy(type, problem)));
    }
  }

  void AddProblem(const Part& part, Problem problem, const std::string& hint) {
    if (problem.kind == Problem::Kind::kDuplicateField) {
      seen_duplicates_.insert(part.offset + problem.offset);
    }
    Finding finding{.position = PositionOf(part, problem.offset),
                    .object = part.name,
                    .path = Joined(part.path, problem.path),
                    .reason = ReasonOf(problem.kind),
                    .message = std::move(problem.message)};
    if (problem.kind == Problem::Kind::kUnknownField ||
        problem.kind == Problem::Kind::kDuplicateField) {
      problem.path = finding.path;
      problem.message = std::move(finding.message);
      finding.message = problem.Text() + hint;
      finding.names_path = true;
    }
    Add(std::move(finding));
  }

  void AddUnknownKind(const Part& part) {
    if (options_.ignore_unknown_kinds) {
      ++result_.ignored;
      return;
    }
    ++result_.objects;
    const bool version_known = IsKnownApiVersion(part.name.api_version);
    AddAt(part, version_known ? "kind" : "apiVersion", "UnknownKind",
          UnknownKindMessage(part.name.api_version, part.name.kind));
  }

  // Of what was decoded as `type`; `base` is the path of the validated object in it.
  void AddErrors(const Part& part, const Type& type, const std::string& base,
                 const std::vector<Problem>& problems, const api::field::ErrorList& errors) {
    if (errors.empty()) return;
    const JsonLocator locator(part.json);
    std::vector<Span> lost;       // values that decoding could not take over
    std::set<std::string> meant;  // fields that are there under a misspelt name
    for (const Problem& problem : problems) {
      if (const std::string_view name = MeantBy(type, problem); !name.empty()) {
        const size_t parent = problem.path.rfind('.') + 1;  // 0 for a field of the object itself
        meant.insert(problem.path.substr(0, parent).append(name));
      }
      if (!LosesValue(problem)) continue;
      const JsonPlace place = locator.Locate(locator.PathAt(problem.offset));
      lost.push_back({place.value, place.end});
    }
    size_t told = 0;
    for (const api::field::Error& error : errors) {
      const std::string own = error.field == "<nil>" ? std::string() : error.field;
      const std::string path = Joined(base, own);
      JsonPlace place = locator.Locate(path);
      if (own == "metadata.name" && part.generated_name && !place.exact) {
        const JsonPlace generator = locator.Locate(Joined(base, "metadata.generateName"));
        if (generator.exact) place = generator;
      }
      const bool follows =
          (error.type == api::field::ErrorType::kRequired && meant.contains(path)) ||
          std::ranges::any_of(lost, [&](const Span& span) {
            return place.value >= span.begin && place.value < span.end;
          });
      if (follows) continue;
      if (++told > kMaxErrors) {
        AddAt(part, base, "TooMany", "has more problems than these");
        return;
      }
      if (place.exact && place.container) {
        if (auto entry = EntryAtFault(part.json, place, error)) {
          std::string text = path;
          reflect::AppendPathName(*entry, &text);
          place = locator.Locate(text);
        }
      }
      Add({.position = PositionOf(part, place.best()),
           .object = part.name,
           .path = Joined(Joined(part.path, base), own),
           .reason = std::string(api::field::ErrorTypeReason(error.type)),
           .message = error.Body()});
    }
  }

  // What the decoder did not see: twice in a part of free form, or through a merge key.
  void AddYamlDuplicates() {
    if (document_.duplicates.size() == seen_duplicates_.size()) return;
    const JsonLocator locator(document_.json);
    for (const reflect::YamlDuplicate& duplicate : document_.duplicates) {
      if (seen_duplicates_.contains(duplicate.offset)) continue;
      AddProblem({},
                 {Problem::Kind::kDuplicateField, locator.PathAt(duplicate.offset).Text(),
                  "duplicate field", duplicate.offset},
                 {});
    }
  }

  reflect::Position PositionOf(const Part& part, size_t offset) const {
    return document_.At(part.offset + offset);
  }

  struct Span {
    size_t begin;
    size_t end;
  };

  const Document& document_;
  const CheckOptions& options_;
  CheckResult& result_;
  std::set<size_t> seen_duplicates_;  // offsets in the document
};

}  // namespace

std::string Finding::Text() const {
  return names_path || path.empty() ? message : path + ": " + message;
}

void CheckDocument(const Document& document, const CheckOptions& options, CheckResult* result) {
  CheckResult own;
  Checker(document, options, &own).CheckWhole();
  std::vector<size_t> order(own.findings.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, {}, [&](size_t i) {
    return std::tuple(own.findings[i].position.line, own.findings[i].position.column, i);
  });
  result->objects += own.objects;
  result->ignored += own.ignored;
  for (size_t i : order) result->findings.push_back(std::move(own.findings[i]));
}

}  // namespace podium::cli
