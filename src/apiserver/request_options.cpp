#include "apiserver/request_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "api/field_errors.h"
#include "api/status.h"
#include "api/time.h"
#include "base/text.h"
#include "reflect/go_text.h"
#include "reflect/utf8.h"

namespace podium::apiserver {
namespace {

using api::field::ErrorList;
using api::field::Path;
using reflect::Field;
using reflect::Kind;
using reflect::Shape;

constexpr size_t kMaxManager = 128;

// As upstream: what is there counts as true, but for these.
bool ParseFlag(std::string_view text) { return text != "0" && !EqualsIgnoringCase(text, "false"); }

// Of strconv.ParseInt, where reflect's is that of strconv.Atoi.
Error BadNumberError(const Error& error) {
  constexpr std::string_view kAtoi = "strconv.Atoi: ";
  std::string_view message = error.message();
  if (message.starts_with(kAtoi)) message.remove_prefix(kAtoi.size());
  return api::BadRequestError("strconv.ParseInt: " + std::string(message));
}

template <class T>
void Store(const Field& field, void* object, T value) {
  if (field.shape == Shape::kOptional) {
    *static_cast<std::optional<T>*>(field.at(object)) = std::move(value);
  } else {
    *static_cast<T*>(field.at(object)) = std::move(value);
  }
}

Result<void> StoreScalar(const Field& field, void* object, const std::string& text) {
  switch (field.kind) {
    case Kind::kString:
      Store(field, object, text);
      return {};
    case Kind::kBool:
      Store(field, object, ParseFlag(text));
      return {};
    case Kind::kInt64: {
      // An empty one counts as left out.
      if (text.empty()) return {};
      const auto number = reflect::ParseGoInt(text);
      if (!number.ok()) return BadNumberError(number.error());
      Store(field, object, *number);
      return {};
    }
    case Kind::kLeaf: {
      // Times, which an empty text leaves out.
      if (text.empty() || text == "null") return {};
      const auto time = api::Time::Parse(text);
      if (!time.ok()) return api::BadRequestError(time.error().message());
      Store(field, object, *time);
      return {};
    }
    default:
      return Error(Code::kInternal, "an option of a form that no query has");
  }
}

Result<void> StoreValue(const Field& field, void* object, const std::string& text) {
  if (field.shape == Shape::kScalar || field.shape == Shape::kOptional) {
    return StoreScalar(field, object, text);
  }
  if (field.shape == Shape::kList && field.kind == Kind::kString) {
    static_cast<reflect::List<std::string>*>(field.at(object))->push_back(text);
  }
  if (field.shape == Shape::kList && field.kind == Kind::kInt32) {
    for (const std::string_view part : Split(text, ',')) {
      const auto number = reflect::ParseGoInt(part);
      if (!number.ok()) return BadNumberError(number.error());
      if (*number != static_cast<int32_t>(*number)) {
        return api::BadRequestError("strconv.ParseInt: parsing \"" + std::string(part) +
                                    "\": value out of range");
      }
      static_cast<reflect::List<int32_t>*>(field.at(object))
          ->push_back(static_cast<int32_t>(*number));
    }
  }
  return {};
}

void CheckDryRun(const reflect::List<std::string>& dry_run, ErrorList* errors) {
  if (std::ranges::all_of(dry_run, [](const std::string& value) { return value == "All"; })) return;
  std::string shown = "[]string{";
  for (size_t i = 0; i < dry_run.size(); ++i) {
    if (i > 0) shown += ", ";
    reflect::AppendGoQuoted(dry_run[i], &shown);
  }
  errors->Add(
      api::field::NotSupported(Path("dryRun"), api::field::BadValue::Json(shown + "}"), {"All"}));
}

void CheckManager(const std::string& manager, ErrorList* errors) {
  const Path path("fieldManager");
  if (manager.size() > kMaxManager) errors->Add(api::field::TooLong(path, kMaxManager));
  reflect::ForEachRune(manager, [&](size_t at, char32_t rune) {
    if (reflect::IsGoPrintable(rune)) return;
    errors->Add(api::field::Invalid(path, manager,
                                    fmt::format("invalid character U+{:04X} (at position {})",
                                                static_cast<uint32_t>(rune), at)));
  });
}

void CheckFieldValidation(const std::string& value, ErrorList* errors) {
  if (value.empty() || value == "Ignore" || value == "Warn" || value == "Strict") return;
  errors->Add(
      api::field::NotSupported(Path("fieldValidation"), value, {"", "Ignore", "Strict", "Warn"}));
}

Result<void> Answer(std::string_view kind, const ErrorList& errors) {
  if (errors.empty()) return {};
  return api::InvalidError("meta.k8s.io", kind, "", errors);
}

template <class T>
Result<T> ReadWriteOptions(const http::QueryParameters& query) {
  TRY(T options, OptionsOfQuery<T>(query));
  ErrorList errors;
  CheckManager(options.fieldManager, &errors);
  CheckDryRun(options.dryRun, &errors);
  CheckFieldValidation(options.fieldValidation, &errors);
  TRY_VOID(Answer(reflect::TypeOf<T>().name, errors));
  return options;
}

}  // namespace

Result<void> ReadQueryInto(const http::QueryParameters& query, const reflect::Type& type,
                           void* object) {
  std::vector<const Field*> seen;
  for (const auto& [name, value] : query) {
    const Field* field = name == "kind" || name == "apiVersion" ? nullptr : type.Find(name);
    if (field == nullptr) continue;
    // Of what comes twice the first one counts, unless it is a list.
    if (field->shape != Shape::kList) {
      if (std::ranges::find(seen, field) != seen.end()) continue;
      seen.push_back(field);
    }
    TRY_VOID(StoreValue(*field, object, value));
  }
  return {};
}

Result<api::meta::v1::CreateOptions> ReadCreateOptions(const http::QueryParameters& query) {
  return ReadWriteOptions<api::meta::v1::CreateOptions>(query);
}

Result<api::meta::v1::UpdateOptions> ReadUpdateOptions(const http::QueryParameters& query) {
  return ReadWriteOptions<api::meta::v1::UpdateOptions>(query);
}

Result<api::meta::v1::PatchOptions> ReadPatchOptions(const http::QueryParameters& query,
                                                     bool is_apply) {
  TRY(auto options, OptionsOfQuery<api::meta::v1::PatchOptions>(query));
  ErrorList errors;
  if (!is_apply && options.force) {
    errors.Add(api::field::Forbidden(Path("force"), "may not be specified for non-apply patch"));
  }
  if (is_apply && options.fieldManager.empty()) {
    errors.Add(api::field::Required(Path("fieldManager"), "is required for apply patch"));
  }
  CheckManager(options.fieldManager, &errors);
  CheckDryRun(options.dryRun, &errors);
  CheckFieldValidation(options.fieldValidation, &errors);
  TRY_VOID(Answer("PatchOptions", errors));
  return options;
}

Result<void> CheckDeleteOptions(const api::meta::v1::DeleteOptions& options) {
  ErrorList errors;
  const Path policy("propagationPolicy");
  if (options.orphanDependents && options.propagationPolicy) {
    errors.Add(api::field::Invalid(policy, *options.propagationPolicy,
                                   "orphanDependents and deletionPropagation cannot be both set"));
  }
  if (options.propagationPolicy && *options.propagationPolicy != "Foreground" &&
      *options.propagationPolicy != "Background" && *options.propagationPolicy != "Orphan") {
    errors.Add(api::field::NotSupported(policy, *options.propagationPolicy,
                                        {"Foreground", "Background", "Orphan", "nil"}));
  }
  CheckDryRun(options.dryRun, &errors);
  return Answer("DeleteOptions", errors);
}

FieldValidation FieldValidationOf(std::string_view option) {
  if (option == "Ignore") return FieldValidation::kIgnore;
  return option == "Strict" ? FieldValidation::kStrict : FieldValidation::kWarn;
}

std::string ManagerOf(std::string_view field_manager, std::string_view user_agent) {
  if (!field_manager.empty()) return reflect::ValidUtf8(field_manager);
  user_agent = user_agent.substr(0, user_agent.find('/'));
  std::string manager;
  reflect::ForEachRune(user_agent, [&](size_t, char32_t rune) {
    if (!reflect::IsGoPrintable(rune) || manager.size() >= kMaxManager) return;
    const size_t size = manager.size();
    reflect::AppendUtf8(rune, &manager);
    if (manager.size() > kMaxManager) manager.resize(size);
  });
  return manager;
}

}  // namespace podium::apiserver
